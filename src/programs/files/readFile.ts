/** Reads a file of a person, YAML or JSON: its variables are filled in, and all errors are reported together, each with its place. */
import * as Effect from "effect/Effect"
import { isObject } from "../../domain/isObject.ts"
import { extensionKey } from "../../domain/pipeline/FileFields.ts"
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { PipelineInvalid } from "../../domain/pipeline/PipelineErrors.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import { type Parsed, parseText } from "./Document.ts"
import { problem, suggestion } from "./Problems.ts"
import { substitute } from "./substitute.ts"

/** A plan, or all problems. */
export type Checked<A> =
  | { readonly plan: A; readonly problems: readonly [] }
  | { readonly plan: null; readonly problems: ReadonlyArray<PipelineProblem> }

export interface ReadOptions {
  /** What errors call it. */
  readonly source: string
  /** The name of what has none. */
  readonly name: string
  /** On top of those in the file. */
  readonly variables: Readonly<Record<string, string>>
}

/** One kind of file. */
export interface Format<A> {
  /** A key that a file has. */
  readonly key: string
  /** The smallest file, for the person whose file is empty. */
  readonly example: string
  readonly planOf: Planned<A>
}

/** A value as it is written: `1.10` stays `1.10`. A value that is not text, a number, yes or no, or a date is left for the schema to refuse. */
const asWritten = (value: unknown, text: string | null): unknown =>
  value === null || (typeof value === "object" && !(value instanceof Date)) ? value : (text ?? value)

/** `vars` with the text of each value, by the node it is written in. */
const writtenVars = (declared: unknown, parsed: Parsed): unknown =>
  isObject(declared)
    ? Object.fromEntries(
        Object.entries(declared).map(([name, value]) => [name, asWritten(value, parsed.textAt(["vars", name]))])
      )
    : declared

/** The variables with their values, and what is wrong with them. */
const variablesOf = (declared: unknown, given: ReadOptions["variables"], parsed: Parsed) => {
  const problems: Array<PipelineProblem> = []
  const variables = new Map<string, string>()
  const known = isObject(declared) ? declared : {}
  for (const [name, value] of Object.entries(known)) {
    if (Object.hasOwn(given, name)) continue
    if (value === null) {
      // Count it as declared, so that its uses are not errors too.
      variables.set(name, "")
      problems.push(
        problem(parsed.keyAt(["vars", name]), `vars.${name}: it has no value`, `Give one: --var ${name}=...`)
      )
    } else variables.set(name, String(value))
  }
  for (const [name, value] of Object.entries(given)) variables.set(name, value)
  return { variables, problems, known: Object.keys(known) }
}

/** What a file means, or all that is wrong with it. `content` has its variables filled in. */
type Planned<A> = (content: Readonly<Record<string, unknown>>, name: string, parsed: Parsed) => Checked<A>

const check = <A>(parsed: Parsed, options: ReadOptions, { example, key, planOf }: Format<A>): Checked<A> => {
  const root = parsed.value
  const start = parsed.valueAt([])
  if (!isObject(root)) {
    const message =
      root === null || root === undefined ? "the file is empty" : `expected one object with '${key}' in it`
    return { plan: null, problems: [problem(start, message, `For example: ${example}`)] }
  }
  const problems: Array<PipelineProblem> = []
  const { $schema: _, vars: declared, ...all } = root
  // Keys that begin with `x-` are a place for YAML anchors.
  const rest = Object.fromEntries(Object.entries(all).filter(([key]) => !extensionKey.test(key)))
  const vars = writtenVars(declared, parsed)
  const table = variablesOf(vars, options.variables, parsed)
  problems.push(...table.problems)
  const filled = substitute(rest, [], table.variables)
  for (const { name, path } of filled.unknown) {
    const hint =
      suggestion(name, [...table.variables.keys()])
        ?.replace(/[^?]$/, "$&.")
        .concat(" ") ?? ""
    problems.push(
      problem(
        parsed.valueAt(path),
        `${nameOf(path)}: there is no variable '${name}'`,
        `${hint}Declare it under 'vars', or write $\${${name}} for the text itself.`
      )
    )
  }
  for (const name of Object.keys(options.variables)) {
    if (table.known.includes(name) || filled.used.has(name)) continue
    problems.push(
      problem(parsed.keyAt(["vars"]), `--var ${name}: the file has no such variable`, suggestion(name, table.known))
    )
  }
  // Problems in a text whose variables are not filled in would repeat the error above.
  const spoilt = new Set(filled.unknown.map(({ path }) => nameOf(path)))
  const content = isObject(filled.value) ? filled.value : {}
  const checked = planOf(vars === undefined ? content : { ...content, vars }, options.name, parsed)
  problems.push(...checked.problems.filter(({ message }) => !spoilt.has(message.slice(0, message.indexOf(": ")))))
  return problems.length === 0 ? checked : { plan: null, problems }
}

/** The plan, or all problems of the text, in the order of the text. */
export const readFile = Effect.fn("readFile")(function* <A>(text: string, options: ReadOptions, format: Format<A>) {
  const parsed = yield* parseText(text)
  const { plan, problems } =
    "value" in parsed
      ? check(parsed, options, format)
      : { plan: null, problems: parsed.map((fault) => problem(fault, fault.message)) }
  if (plan !== null) return plan
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return yield* new PipelineInvalid({ source: options.source, problems: sorted })
})
