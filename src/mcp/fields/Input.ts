/** Decodes the arguments of a call. An error names the field, its rule and an example. */
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isObject } from "../../domain/isObject.ts"
import { keyProblem } from "../../domain/SchemaPlaces.ts"
import { type FieldProblem, fieldProblems, innermost, shownValue, valueAt } from "../../domain/SchemaProblems.ts"
import { nearest } from "../../domain/Spelling.ts"
import { isTooDeep, mostLevels } from "../../domain/TooDeep.ts"
import { lenient } from "../Lenient.ts"
import { ruleAt } from "./ruleAt.ts"

/** The arguments of a call are invalid. */
export class InputProblem extends Schema.TaggedError<InputProblem>()("InvalidArguments", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** The most problems in one error: a longer list would not be read. */
const mostProblems = 5

/** Keys may be wrong too: the path of a wrong key is the path of its object. */
const exampleFor = (example: unknown, path: ReadonlyArray<PropertyKey>): string => {
  const plain = path.map((key) => (typeof key === "number" ? 0 : key))
  const found = valueAt(example, plain) ?? valueAt(example, plain.slice(0, -1))
  return found === undefined ? "" : `, e.g. ${JSON.stringify(found)}`
}

/** The names are in the schema and not in the example, which shows only some. */
const unknownKey = ({ name, path }: FieldProblem, schema: Schema.Schema.All): string => {
  const problem = keyProblem(schema.ast, path)
  if ("rule" in problem) return `${name}: ${problem.rule}`
  const close = nearest(String(path.at(-1)), problem.names)
  const known = problem.names.length === 0 ? "There are none here" : `Known: ${problem.names.join(", ")}`
  return `${name}: there is no such argument. ${close === null ? known : `Did you mean '${close}'?`}`
}

const problemsOf = (
  error: ParseResult.ParseError,
  raw: unknown,
  schema: Schema.Schema.All,
  example: unknown
): ReadonlyArray<string> => {
  return innermost(fieldProblems(error))
    .slice(0, mostProblems)
    .map((problem) => {
      const { kind, name, path } = problem
      if (kind === "unexpected") return unknownKey(problem, schema)
      if (name === "") return `the arguments: expected an object, e.g. ${JSON.stringify(example)}`
      const actual = valueAt(raw, path)
      const found = actual === undefined ? "it is missing" : `${ruleAt(schema.ast, problem)}, not ${shownValue(actual)}`
      return `${name}: ${found}${exampleFor(example, path)}`
    })
}

/** A schema without fields takes every value but null, so it is looked at here. */
const takesNothing = ({ ast }: Schema.Schema.All): boolean =>
  AST.isTypeLiteral(ast) && ast.propertySignatures.length === 0 && ast.indexSignatures.length === 0

const problemsOfNothing = (raw: unknown): ReadonlyArray<string> =>
  isObject(raw)
    ? Object.keys(raw)
        .slice(0, mostProblems)
        .map((name) => `${name.slice(0, 60)}: there is no such argument. There are none here`)
    : ["the arguments: expected an object, e.g. {}"]

/** Missing arguments count as none. */
export const decodeInput = <A, I>(schema: Schema.Schema<A, I>, example: I) => {
  const decode = Schema.decodeUnknown(schema, { onExcessProperty: "error", errors: "all" })
  return (sent: unknown): Effect.Effect<A, InputProblem> =>
    Effect.suspend(() => {
      if (isTooDeep(sent)) {
        return new InputProblem({ problems: [`the arguments: at most ${mostLevels} levels of lists and objects`] })
      }
      const raw = lenient(schema.ast, sent ?? {})
      const extra = takesNothing(schema) ? problemsOfNothing(raw) : []
      if (extra.length > 0) return new InputProblem({ problems: extra })
      return decode(raw).pipe(
        Effect.mapError((error) => new InputProblem({ problems: problemsOf(error, raw, schema, example) }))
      )
    })
}
