/** Reads a pipeline file: YAML or JSON, with every error at once and each at its place. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { PipelinePlan, PipelineProblem, PlannedStep } from "../../domain/Pipeline.ts"
import { PipelineInvalid } from "../../domain/PipelineErrors.ts"
import { FileFrame, FileStep, maxSteps } from "../../domain/PipelineFile.ts"
import { type Parsed, type Path, parseText } from "./document.ts"
import { order, type Placed } from "./order.ts"
import { nameOf, problem, problemsOf, suggestion } from "./problems.ts"
import { substitute } from "./variables.ts"

export interface ReadOptions {
  /** What errors call it. */
  readonly source: string
  /** The name of a pipeline that has none. */
  readonly name: string
  /** On top of those in the file. */
  readonly variables: Readonly<Record<string, string>>
}

type Plan = { readonly problems: ReadonlyArray<PipelineProblem>; readonly plan: PipelinePlan | null }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const strictly = { onExcessProperty: "error", errors: "all" } as const
const readFrame = Schema.decodeUnknownEither(FileFrame, strictly)
const readStep = Schema.decodeUnknownEither(FileStep, strictly)
const Defaults = FileStep.omit("name", "prompt", "after", "continueFrom")

const keysAt = (path: Path): ReadonlyArray<string> =>
  Object.keys(path.length === 0 ? FileFrame.fields : path[0] === "defaults" ? Defaults.fields : FileStep.fields)

/** The variables with their values, and what is wrong with them. */
const variablesOf = (declared: unknown, given: ReadOptions["variables"], parsed: Parsed) => {
  const problems: Array<PipelineProblem> = []
  const variables = new Map<string, string>()
  const known = isObject(declared) ? declared : {}
  for (const [name, value] of Object.entries(known)) {
    if (Object.hasOwn(given, name)) continue
    if (value === null) {
      // Known, so that each use is not an error of its own.
      variables.set(name, "")
      problems.push(
        problem(parsed.keyAt(["vars", name]), `vars.${name}: it has no value`, `Give one: --var ${name}=...`)
      )
    } else variables.set(name, String(value))
  }
  for (const [name, value] of Object.entries(given)) variables.set(name, value)
  return { variables, problems, known: Object.keys(known) }
}

const stepOf = (
  { stage, step }: Placed,
  defaults: typeof Defaults.Type
): Omit<PlannedStep, "name" | "after" | "continueFrom"> => {
  const all = { ...defaults, ...step }
  return {
    stage,
    prompt: step.prompt,
    agent: all.agent ?? null,
    model: all.model ?? null,
    directory: all.directory ?? null,
    priority: all.priority ?? null,
    timeoutMs: all.timeout ?? null,
    stallMs: all.stall ?? null,
    systemPrompt: all.systemPrompt ?? null,
    labels: { ...defaults.labels, ...step.labels },
    retries: all.retries ?? null,
    backoffMs: all.backoff ?? null,
    policy: all.policy ?? "success",
    delayMs: all.delay ?? 0
  }
}

/** Where each step stands: an inner list holds steps side by side. */
const entriesOf = (steps: ReadonlyArray<unknown>) =>
  steps.flatMap(
    (entry, stage): ReadonlyArray<{ readonly path: Path; readonly stage: number; readonly raw: unknown }> =>
      Array.isArray(entry)
        ? entry.map((raw: unknown, index) => ({ path: ["steps", stage, index], stage, raw }))
        : [{ path: ["steps", stage], stage, raw: entry }]
  )

const check = (parsed: Parsed, options: ReadOptions): Plan => {
  const root = parsed.value
  const start = parsed.valueAt([])
  if (!isObject(root)) {
    const message = root === null || root === undefined ? "the file is empty" : "expected one object with 'steps' in it"
    return { plan: null, problems: [problem(start, message, "For example: steps: [{ agent: shell, prompt: make }]")] }
  }
  const problems: Array<PipelineProblem> = []
  const { $schema: _, vars, ...rest } = root
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
  // What is wrong with a text that was not filled in says nothing new.
  const spoilt = new Set(filled.unknown.map(({ path }) => nameOf(path)))
  const add = (found: ReadonlyArray<PipelineProblem>) =>
    problems.push(...found.filter(({ message }) => !spoilt.has(message.slice(0, message.indexOf(": ")))))

  const content = isObject(filled.value) ? filled.value : {}
  const whole = vars === undefined ? content : { ...content, vars }
  const frame = readFrame(whole)
  if (Either.isLeft(frame)) add(problemsOf(frame.left, whole, [], keysAt, parsed))
  const { steps } = content
  if (!Array.isArray(steps)) return { plan: null, problems }

  const entries = entriesOf(steps)
  steps.forEach((entry: unknown, index) => {
    if (Array.isArray(entry) && entry.length === 0) {
      problems.push(
        problem(
          parsed.valueAt(["steps", index]),
          `steps[${index}]: the list is empty`,
          "Put steps into it, or take it out."
        )
      )
    }
  })
  if (entries.length === 0 || entries.length > maxSteps) {
    problems.push(
      entries.length === 0
        ? problem(parsed.valueAt(["steps"]), "steps: there is no step", "A pipeline has 1 to 100 steps.")
        : problem(parsed.valueAt(["steps"]), `steps: ${entries.length} are too many`, "A pipeline has 1 to 100 steps.")
    )
  }
  const placed: Array<Placed> = []
  for (const { path, raw, stage } of entries.slice(0, maxSteps * 10)) {
    const entry: unknown = typeof raw === "string" ? { prompt: raw } : raw
    if (!isObject(entry)) {
      const message = Array.isArray(entry)
        ? "steps side by side cannot hold a list again"
        : "expected a step or a prompt"
      problems.push(problem(parsed.valueAt(path), `${nameOf(path)}: ${message}`, "Use 'after' for any other order."))
      continue
    }
    const step = readStep(entry)
    if (Either.isLeft(step)) add(problemsOf(step.left, entry, path, keysAt, parsed))
    else placed.push({ path, stage, step: step.right })
  }
  // Names of steps that could not be read would all seem unknown.
  if (placed.length < entries.length || Either.isLeft(frame)) return { plan: null, problems }
  const { after, continueFrom, names, problems: ofOrder } = order(placed, parsed)
  add(ofOrder)
  if (problems.length > 0) return { plan: null, problems }
  const { defaults = {}, name } = frame.right
  const plan: PipelinePlan = {
    name: name ?? options.name,
    steps: placed.map((each, index) => ({
      ...stepOf(each, defaults),
      name: names[index] ?? "",
      after: after[index] ?? [],
      continueFrom: continueFrom[index] ?? null
    }))
  }
  return { plan, problems }
}

/** The plan, or all that is wrong with the text, in its order. */
export const readPipeline = Effect.fn("readPipeline")(function* (text: string, options: ReadOptions) {
  const parsed = yield* parseText(text)
  const { plan, problems } =
    "value" in parsed
      ? check(parsed, options)
      : { plan: null, problems: parsed.map((fault) => problem(fault, fault.message)) }
  if (plan !== null) return plan
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return yield* new PipelineInvalid({ source: options.source, problems: sorted })
})
