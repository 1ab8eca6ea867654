/** Decodes the arguments of a call. An error names the field, its rule and an example. */
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { nearest } from "../../domain/Spelling.ts"
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

const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )

/** `tasks[0].prompt`. */
const nameOf = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`)).join("")

/** Keys may be wrong too: the path of a wrong key is the path of its object. */
const exampleFor = (example: unknown, path: ReadonlyArray<PropertyKey>): string => {
  const plain = path.map((key) => (typeof key === "number" ? 0 : key))
  const found = at(example, plain) ?? at(example, plain.slice(0, -1))
  return found === undefined ? "" : `, e.g. ${JSON.stringify(found)}`
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** The name of a type in the source tells a model nothing. */
const typed = /readonly|ReadonlyArray|Array<|[{}]|\[x: /

const ruleOf = (messages: ReadonlyArray<string>, words: string | null): string => {
  const expected = messages.flatMap((message) => /^Expected ([\s\S]*?), actual /.exec(message)?.[1] ?? [])
  const own = messages.find((message) => !message.startsWith("Expected "))
  if (own !== undefined) return own
  const wanted = [...new Set(expected)].filter((word) => word !== "undefined")
  if (words !== null && wanted.some((word) => typed.test(word))) return `expected ${words}`
  return wanted.length === 0 ? "is not valid" : `expected ${wanted.join(" or ")}`
}

const keysOf = (schema: Schema.Schema.All): ReadonlyArray<string> => {
  const { ast } = schema
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
  const beside = at(
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
  const byField = new Map<string, { path: ReadonlyArray<PropertyKey>; messages: Array<string>; extra: boolean }>()
  for (const { _tag, message, path } of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const name = nameOf(path)
    const entry = byField.get(name) ?? { path, messages: [], extra: _tag === "Unexpected" }
    entry.messages.push(message)
    byField.set(name, entry)
  }
  return Array.from(byField, ([name, { extra, messages, path }]) => {
    if (extra) {
      const names = known(schema, path, example)
      const close = nearest(String(path.at(-1)), names)
      return `${name}: there is no such argument. ${close === null ? `Known: ${names.join(", ")}` : `Did you mean '${close}'?`}`
    }
    if (name === "") return `the arguments: expected an object, e.g. ${JSON.stringify(example)}`
    const actual = at(raw, path)
    const found =
      actual === undefined ? "it is missing" : `${ruleOf(messages, wordsAt(schema, path))}, not ${shown(actual)}`
    return `${name}: ${found}${exampleFor(example, path)}`
  }).slice(0, mostProblems)
}

/** Levels of nested lists and objects. What is deeper would use up the stack while it is decoded. */
const mostLevels = 32

const isTooDeep = (value: unknown, level = 0): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (level >= mostLevels) return true
  return Object.values(value).some((inner) => isTooDeep(inner, level + 1))
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
