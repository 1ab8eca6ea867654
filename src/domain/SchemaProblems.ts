/** What a schema refuses, by field: the facts from which each surface (settings, files, arguments of tools) makes its sentence. */
import * as ParseResult from "effect/ParseResult"

export type Path = ReadonlyArray<PropertyKey>

export interface FieldProblem {
  readonly path: Path
  /** `steps[2].agent`. */
  readonly name: string
  /** `unexpected`: there is no such key. */
  readonly kind: "unexpected" | "missing" | "wrong"
  readonly messages: ReadonlyArray<string>
}

type Messages = Pick<FieldProblem, "messages">

export const nameOf = (path: Path): string =>
  path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`
      return key === "" ? '[""]' : `${index === 0 ? "" : "."}${String(key)}`
    })
    .join("")

/** What a value has at a path; undefined where there is nothing. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )

const kinds = { Unexpected: "unexpected", Missing: "missing" } as const

/** The problems in the order of the schema, those of one field together. `most`: messages that are looked at. */
export const fieldProblems = (
  error: ParseResult.ParseError,
  most = Number.POSITIVE_INFINITY
): ReadonlyArray<FieldProblem> => {
  const byName = new Map<string, FieldProblem & { readonly messages: Array<string> }>()
  for (const { _tag, message, path } of ParseResult.ArrayFormatter.formatErrorSync(error).slice(0, most)) {
    const name = nameOf(path)
    const kind = _tag === "Unexpected" || _tag === "Missing" ? kinds[_tag] : "wrong"
    const entry = byName.get(name) ?? { path, name, kind, messages: [] }
    entry.messages.push(message)
    byName.set(name, entry)
  }
  return Array.from(byName.values())
}

/** Leaves out a field that is reported only because its value fits none of the allowed types, where a field inside it is reported too. */
export const innermost = (problems: ReadonlyArray<FieldProblem>): ReadonlyArray<FieldProblem> =>
  problems.filter(
    (problem) =>
      problem.kind !== "wrong" ||
      ownRule(problem) !== undefined ||
      problems.every(
        ({ path }) => path.length <= problem.path.length || problem.path.some((key, index) => path[index] !== key)
      )
  )

/** The types that would have been accepted: "Expected X, actual Y" without the Y. */
export const wantedTypes = ({ messages }: Messages): ReadonlyArray<string> => {
  const types = messages.flatMap((message) => /^Expected ([\s\S]*?), actual /.exec(message)?.[1] ?? [])
  return [...new Set(types)].filter((type) => type !== "undefined")
}

/** A type as people write its values. */
export const typeInWords = (type: string): string => {
  if (/^(readonly \[|ReadonlyArray<)/.test(type)) return "a list of texts"
  if (!type.startsWith("{ readonly [")) return type
  return /\]: \(?string\b/.test(type) && !/.\{ readonly/.test(type) ? "an object of texts" : "an object"
}

/** A rule of Backbeat that the value breaks, in its own words; undefined where only the type is wrong. */
export const ownRule = ({ messages }: Messages): string | undefined =>
  messages.find((message) => !message.startsWith("Expected "))

export const expected = (types: ReadonlyArray<string>): string =>
  types.length === 0 ? "is not valid" : `expected ${types.join(" or ")}`

/** The rule, otherwise what the schema expected. */
export const ruleOf = (problem: Messages): string => ownRule(problem) ?? expected(wantedTypes(problem))

/** A value as JSON, cut. */
export const shownValue = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
