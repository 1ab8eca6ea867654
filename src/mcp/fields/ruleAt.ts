/** The rule that an argument breaks, in words. */
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
import { alternatives, typeAt } from "../../domain/SchemaPlaces.ts"
import { expected, type FieldProblem, ownRule, ruleOf, wantedTypes } from "../../domain/SchemaProblems.ts"
import { isText } from "../Lenient.ts"

/** The type in words: `a list of texts`. */
const inWords = (ast: AST.AST): string => [...new Set(alternatives(ast).flatMap(oneInWords))].join(" or ")

const many: Readonly<Record<string, string>> = { "a text": "texts", "a number": "numbers", "an object": "objects" }

const oneInWords = (ast: AST.AST): ReadonlyArray<string> => {
  if (AST.isUndefinedKeyword(ast)) return []
  if (AST.isTupleType(ast)) {
    const inner = ast.rest[0] === undefined ? "" : inWords(ast.rest[0].type)
    return [`a list${inner === "" || inner === "any value" ? "" : ` of ${many[inner] ?? inner}`}`]
  }
  if (AST.isTypeLiteral(ast)) {
    const names = ast.propertySignatures.map(({ name }) => String(name))
    const values = ast.indexSignatures[0] === undefined ? "" : inWords(ast.indexSignatures[0].type)
    if (names.length > 0) return [`an object with ${names.join(", ")}`]
    return [`an object${values === "" || values === "any value" ? "" : ` whose values are ${many[values] ?? values}`}`]
  }
  if (AST.isLiteral(ast)) return [JSON.stringify(ast.literal)]
  if (AST.isBooleanKeyword(ast)) return ["true or false"]
  if (AST.isNumberKeyword(ast)) return ["a number"]
  if (isText(ast)) return ["a text"]
  return ["any value"]
}

const plural = (count: unknown, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

/** The bound of a rule, from the keyword that clients get for it. */
const boundInWords = (ast: AST.AST): string | null => {
  const { maxItems, maxLength, minItems, minLength }: Readonly<Record<string, unknown>> = {
    ...Option.getOrUndefined(AST.getJSONSchemaAnnotation(ast))
  }
  if (minLength === 1) return "a text that is not empty"
  if (minItems === 1) return "a list that is not empty"
  if (minLength !== undefined) return `a text of at least ${plural(minLength, "character")}`
  if (maxLength !== undefined) return `a text of at most ${plural(maxLength, "character")}`
  if (minItems !== undefined) return `a list of at least ${minItems}`
  return maxItems === undefined ? null : `a list of at most ${maxItems}`
}

/** A type with everything that it is made of: its alternatives, and what its rules and transformations begin with. */
const partsOf = (ast: AST.AST): ReadonlyArray<AST.AST> => [
  ast,
  ...(AST.isUnion(ast) ? ast.types.flatMap(partsOf) : []),
  ...(AST.isSuspend(ast) ? partsOf(ast.f()) : []),
  ...(AST.isRefinement(ast) || AST.isTransformation(ast) ? partsOf(ast.from) : [])
]

/** What the part of a type takes that has this description; null where none has. */
const describedBy = (ast: AST.AST, description: string): string | null => {
  const part = partsOf(ast).find((one) => Option.contains(AST.getDescriptionAnnotation(one), description))
  return part === undefined ? null : (boundInWords(part) ?? inWords(part))
}

/** The name of a type in the source tells a person or a model nothing. */
const typed = /readonly|ReadonlyArray|Array<|[{}]|\[x: /

/** The rule that a value breaks. A description says what a field is for, and the schema reports it as what was expected. */
export const ruleAt = (ast: AST.AST, problem: FieldProblem): string => {
  const wanted = wantedTypes(problem)
  const type = ownRule(problem) === undefined ? typeAt(ast, problem.path) : null
  if (type === null) return ruleOf(problem)
  const described = wanted.flatMap((word) => describedBy(type, word) ?? [])
  if (described.length > 0) return expected(described)
  return wanted.length === 0 || wanted.some((word) => typed.test(word)) ? expected([inWords(type)]) : ruleOf(problem)
}
