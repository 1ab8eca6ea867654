/** What a schema takes at a path, for errors: the type of a value, and the keys of an object. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { fieldProblems, ownRule, type Path, wantedTypes } from "./SchemaProblems.ts"

/** The alternatives of a type as they are sent, without transformations and rules; what is inside of them keeps both. */
export const alternatives = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  if (AST.isUnion(ast)) return ast.types.flatMap(alternatives)
  if (AST.isSuspend(ast)) return alternatives(ast.f())
  return AST.isRefinement(ast) || AST.isTransformation(ast) ? alternatives(ast.from) : [ast]
}

/** The type at a path; null if the schema has no such path. */
export const typeAt = (ast: AST.AST, path: Path): AST.AST | null => {
  const [key, ...rest] = path
  if (key === undefined) return ast
  for (const one of alternatives(ast)) {
    const inner = AST.isTupleType(one)
      ? one.rest[0]?.type
      : AST.isTypeLiteral(one)
        ? (one.propertySignatures.find(({ name }) => name === key)?.type ?? one.indexSignatures[0]?.type)
        : undefined
    const found = inner === undefined ? null : typeAt(inner, rest)
    if (found !== null) return found
  }
  return null
}

/** Why an object refuses a key: it is none of `names`, or it breaks the rule for keys that people choose. */
type KeyProblem = { readonly names: ReadonlyArray<string> } | { readonly rule: string }

/** The problem of the last key of a path. */
export const keyProblem = (ast: AST.AST, path: Path): KeyProblem => {
  const parent = typeAt(ast, path.slice(0, -1))
  const objects = parent === null ? [] : alternatives(parent).filter(AST.isTypeLiteral)
  const names = objects.flatMap(({ propertySignatures }) => propertySignatures.map(({ name }) => String(name)))
  const parameter = objects.flatMap(({ indexSignatures }) => indexSignatures.map((one) => one.parameter))[0]
  if (names.length > 0 || parameter === undefined) return { names }
  const read = Schema.decodeUnknownEither(Schema.make<unknown, unknown, never>(parameter))(path.at(-1))
  const [first] = Either.isLeft(read) ? fieldProblems(read.left) : []
  const problem = first ?? { messages: [] }
  return { rule: ownRule(problem) ?? `a key has to be ${wantedTypes(problem).join(" or ") || "another one"}` }
}
