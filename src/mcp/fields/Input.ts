/** Decodes the arguments of a call. An error names the field, its rule and an example. */
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import {
  expected,
  type FieldProblem,
  fieldProblems,
  ownRule,
  ruleOf,
  shownValue,
  valueAt,
  wantedTypes
} from "../../domain/SchemaProblems.ts"
import { nearest } from "../../domain/Spelling.ts"
import { isTooDeep, mostLevels } from "../../domain/TooDeep.ts"
import { inWords, lenient, typeAt } from "../Lenient.ts"

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

/** The name of a type in the source tells a model nothing. */
const typed = /readonly|ReadonlyArray|Array<|[{}]|\[x: /

const ruleFor = (problem: FieldProblem, words: string | null): string => {
  const wanted = wantedTypes(problem)
  return ownRule(problem) === undefined && words !== null && wanted.some((word) => typed.test(word))
    ? expected([words])
    : ruleOf(problem)
}

const keysOf = (schema: Schema.Schema.All): ReadonlyArray<string> => {
  // As they are sent: an argument with a default makes the schema a transformation.
  const { ast } = Schema.encodedSchema(Schema.make(schema.ast))
  return "propertySignatures" in ast && Array.isArray(ast.propertySignatures)
    ? ast.propertySignatures.map(({ name }) => String(name))
    : []
}

const known = (
  schema: Schema.Schema.All,
  path: ReadonlyArray<PropertyKey>,
  example: unknown
): ReadonlyArray<string> => {
  if (path.length === 1) return keysOf(schema)
  const beside = valueAt(
    example,
    path.slice(0, -1).map((key) => (typeof key === "number" ? 0 : key))
  )
  return typeof beside === "object" && beside !== null ? Object.keys(beside) : []
}

const wordsAt = (schema: Schema.Schema.All, path: ReadonlyArray<PropertyKey>): string | null => {
  const found = typeAt(schema.ast, path)
  return found === null ? null : inWords(found)
}

const problemsOf = (
  error: ParseResult.ParseError,
  raw: unknown,
  schema: Schema.Schema.All,
  example: unknown
): ReadonlyArray<string> => {
  return fieldProblems(error)
    .slice(0, mostProblems)
    .map((problem) => {
      const { kind, name, path } = problem
      if (kind === "unexpected") {
        const names = known(schema, path, example)
        const close = nearest(String(path.at(-1)), names)
        return `${name}: there is no such argument. ${close === null ? `Known: ${names.join(", ")}` : `Did you mean '${close}'?`}`
      }
      if (name === "") return `the arguments: expected an object, e.g. ${JSON.stringify(example)}`
      const actual = valueAt(raw, path)
      const found =
        actual === undefined ? "it is missing" : `${ruleFor(problem, wordsAt(schema, path))}, not ${shownValue(actual)}`
      return `${name}: ${found}${exampleFor(example, path)}`
    })
}

/** Missing arguments count as none. */
export const decodeInput = <A, I>(schema: Schema.Schema<A, I>, example: I) => {
  const decode = Schema.decodeUnknown(schema, { onExcessProperty: "error", errors: "all" })
  return (sent: unknown): Effect.Effect<A, InputProblem> =>
    Effect.suspend(() => {
      if (isTooDeep(sent)) {
        return new InputProblem({ problems: [`the arguments: at most ${mostLevels} levels of lists and objects`] })
      }
      const raw = lenient(schema.ast, sent ?? {})
      return decode(raw).pipe(
        Effect.mapError((error) => new InputProblem({ problems: problemsOf(error, raw, schema, example) }))
      )
    })
}
