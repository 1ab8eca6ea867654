/** What is wrong with a pipeline file, in words, with the place and what to write instead. */
import * as ParseResult from "effect/ParseResult"
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { nearest } from "../../domain/Spelling.ts"
import type { Parsed, Path, Position } from "./Document.ts"

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `steps[2].agent`. */
export const nameOf = (path: Path): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`)).join("")

export const problem = (position: Position, message: string, hint: string | null = null): PipelineProblem => ({
  line: position.line,
  column: position.column,
  message,
  hint
})

/** "Did you mean", or all there is. */
export const suggestion = (word: string, known: ReadonlyArray<string>): string | null => {
  if (known.length === 0) return null
  const close = nearest(word, known)
  return close === null ? `Known: ${known.join(", ")}` : `Did you mean '${close}'?`
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** A rule of Backbeat, otherwise what the schema expected. */
const ruleOf = (messages: ReadonlyArray<string>): string => {
  const own = messages.find((message) => !message.startsWith("Expected "))
  if (own !== undefined) return own
  const expected = messages.flatMap((message) => /^Expected ([\s\S]*?), actual /.exec(message)?.[1] ?? [])
  const wanted = [...new Set(expected)].filter((word) => word !== "undefined")
  return wanted.length === 0 ? "is not valid" : `expected ${wanted.join(" or ")}`
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )

const keyRules: Readonly<Record<string, string>> = {
  vars: "names of variables are letters, digits, _ and -, and begin with none of the digits",
  labels: "keys of labels have 1 to 64 of A-Z a-z 0-9 _ . - /"
}

/** The most problems reported for one step: after a fix, the file is checked again. The time to report all grows with the
 * square of their number. */
const mostIssues = 100

/** One problem for each field of `raw`, whose path in the file is `base`. `keysAt`: the keys allowed in an object. */
export const problemsOf = (
  error: ParseResult.ParseError,
  raw: unknown,
  base: Path,
  keysAt: (path: Path) => ReadonlyArray<string>,
  parsed: Parsed
): ReadonlyArray<PipelineProblem> => {
  const byField = new Map<string, { readonly path: Path; readonly messages: Array<string>; readonly tag: string }>()
  for (const { _tag, message, path } of ParseResult.ArrayFormatter.formatErrorSync(error).slice(0, mostIssues)) {
    const entry = byField.get(nameOf(path)) ?? { path, messages: [], tag: _tag }
    entry.messages.push(message)
    byField.set(nameOf(path), entry)
  }
  // An optional field reports that it may be omitted, in addition to the problem inside it.
  const telling = Array.from(byField).filter(([name, { messages }]) => {
    const inner = Array.from(byField.keys()).some(
      (other) => other !== name && /^[.[]/.test(other.slice(name.length)) && other.startsWith(name)
    )
    return !inner || messages.some((message) => !message.startsWith("Expected undefined"))
  })
  return telling.map(([, { messages, path, tag }]) => {
    const whole = [...base, ...path]
    const name = nameOf(whole)
    if (tag === "Unexpected") {
      const rule = keyRules[String(path.at(-2))]
      if (rule !== undefined) return problem(parsed.keyAt(whole), `${name}: ${rule}`)
      const hint = suggestion(String(path.at(-1)), keysAt(whole.slice(0, -1)))
      return problem(parsed.keyAt(whole), `${name}: there is no such key`, hint)
    }
    const value = at(raw, path)
    if (value === undefined) return problem(parsed.valueAt(whole), `${name}: it is missing`)
    if (value === null) return problem(parsed.valueAt(whole), `${name}: it has no value`, ruleOf(messages))
    return problem(parsed.valueAt(whole), `${name}: ${ruleOf(messages)}, not ${shown(value)}`)
  })
}
