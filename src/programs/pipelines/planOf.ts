/** Checks what a pipeline says and works out its plan, whatever it was read from. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { isObject } from "../../domain/isObject.ts"
import { LoopWords, loopRequest } from "../../domain/loop/LoopRequest.ts"
import type { PipelinePlan, PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { PipelineInvalid } from "../../domain/pipeline/PipelineErrors.ts"
import { Best, FileFrame, FileStep, Matrix, maxSteps } from "../../domain/pipeline/PipelineFile.ts"
import type { PlannedStep } from "../../domain/pipeline/PlannedStep.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import { Labels } from "../../domain/task/Task.ts"
import type { Parsed, Path } from "../files/Document.ts"
import { problem, problemsOf } from "../files/Problems.ts"
import type { Checked } from "../files/readFile.ts"
import { isolationProblems, withSetup } from "./isolationProblems.ts"
import { loopProblems } from "./loopProblems.ts"
import { order, type Placed } from "./order.ts"
import { contestOf, contestProblems } from "./prepareContest.ts"

const strictly = { onExcessProperty: "error", errors: "all" } as const
const readFrame = Schema.decodeUnknownEither(FileFrame, strictly)
const readStep = Schema.decodeUnknownEither(FileStep, strictly)
const isLabels = Schema.is(Labels)
const Defaults = FileStep.omit(
  "name",
  "prompt",
  "after",
  "continueFrom",
  "workspace",
  "gate",
  "times",
  "matrix",
  "best",
  "loop"
)

const keysAt = (path: Path): ReadonlyArray<string> =>
  Object.keys(
    path.at(-1) === "best"
      ? Best.fields
      : path.at(-1) === "loop"
        ? LoopWords.fields
        : path.at(-1) === "matrix"
          ? Matrix.fields
          : path.length === 0
            ? FileFrame.fields
            : path[0] === "defaults"
              ? Defaults.fields
              : FileStep.fields
  )

/** `gate` as the file has it. */
const ruleOf = (gate: FileStep["gate"]): PlannedStep["gate"] =>
  gate === undefined || gate === false ? null : gate === true ? "verdict" : { schema: JSON.stringify(gate) }

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
    delayMs: all.delay ?? 0,
    workspace: step.workspace ?? null,
    gate: ruleOf(step.gate),
    contest: contestOf(step),
    loop: step.loop === undefined ? null : loopRequest(step.loop)
  }
}

/** The place of each step: the steps of an inner list run in parallel. */
const entriesOf = (steps: ReadonlyArray<unknown>) =>
  steps.flatMap(
    (entry, stage): ReadonlyArray<{ readonly path: Path; readonly stage: number; readonly raw: unknown }> =>
      Array.isArray(entry)
        ? entry.map((raw: unknown, index) => ({ path: ["steps", stage, index], stage, raw }))
        : [{ path: ["steps", stage], stage, raw: entry }]
  )

/** The steps that could be read, and what is wrong with the list and with the others. */
const readSteps = (steps: ReadonlyArray<unknown>, defaults: typeof Defaults.Type, parsed: Parsed) => {
  const problems: Array<PipelineProblem> = []
  const placed: Array<Placed> = []
  const add = (path: Path, message: string, hint: string) => problems.push(problem(parsed.valueAt(path), message, hint))

  steps.forEach((entry, index) => {
    if (!Array.isArray(entry) || entry.length > 0) return
    add(["steps", index], `steps[${index}]: the list is empty`, "Add steps to it, or remove it.")
  })
  const entries = entriesOf(steps)
  if (entries.length === 0 || entries.length > maxSteps) {
    const count = entries.length === 0 ? "there is no step" : `${entries.length} are too many`
    add(["steps"], `steps: ${count}`, `A pipeline has 1 to ${maxSteps} steps.`)
  }
  for (const { path, raw, stage } of entries.slice(0, maxSteps * 10)) {
    const entry: unknown = typeof raw === "string" ? { prompt: raw } : raw
    if (!isObject(entry)) {
      const nested = Array.isArray(entry)
      const message = nested ? "a list of parallel steps cannot contain another list" : "expected a step or a prompt"
      add(path, `${nameOf(path)}: ${message}`, "Use 'after' for any other order.")
      continue
    }
    const step = readStep(entry)
    if (Either.isLeft(step)) {
      problems.push(...problemsOf(step.left, entry, path, keysAt, parsed))
      continue
    }
    if (!isLabels({ ...defaults.labels, ...step.right.labels })) {
      add([...path, "labels"], `${nameOf(path)}.labels: more than 32 with those of 'defaults'`, "Leave some out.")
    }
    placed.push({ path, stage, step: step.right })
  }
  return { placed, problems, complete: placed.length === entries.length }
}

/** `content` has its variables filled in; `fallback` is the name of a pipeline that says none. */
export const planOf = (
  content: Readonly<Record<string, unknown>>,
  fallback: string,
  parsed: Parsed
): Checked<PipelinePlan> => {
  const problems: Array<PipelineProblem> = []
  const frame = readFrame(content)
  if (Either.isLeft(frame)) problems.push(...problemsOf(frame.left, content, [], keysAt, parsed))
  if (!Array.isArray(content.steps)) return { plan: null, problems }
  const {
    defaults = {},
    isolate = false,
    name,
    setup = null
  } = Either.getOrElse(frame, (): Partial<typeof FileFrame.Type> => ({}))
  const steps = readSteps(content.steps, defaults, parsed)
  problems.push(...steps.problems)
  // Names of steps that could not be read would all seem unknown.
  if (!steps.complete) return { plan: null, problems }
  const { after, continueFrom, names, problems: ofOrder } = order(steps.placed, parsed)
  problems.push(...ofOrder, ...isolationProblems(content, steps.placed, { after, isolate, names, setup }, parsed))
  // In a circle every step comes before every other.
  if (ofOrder.length === 0) {
    const written = { after, isolate, names }
    problems.push(...contestProblems(steps.placed, written, parsed), ...loopProblems(steps.placed, written, parsed))
  }
  if (problems.length > 0) return { plan: null, problems }
  const planned = steps.placed.map((each, index) => ({
    ...stepOf(each, defaults),
    name: names[index] ?? "",
    after: after[index] ?? [],
    continueFrom: continueFrom[index] ?? null
  }))
  const plan: PipelinePlan = {
    name: name ?? fallback,
    isolate,
    setup,
    steps: setup === null ? planned : withSetup(planned, setup)
  }
  return { plan, problems: [] }
}

/** A pipeline that came as a value and not as a text: what is wrong has names, but no lines. */
export const planOfValue = Effect.fn("planOfValue")(function* (
  content: Readonly<Record<string, unknown>>,
  fallback: string
) {
  const nowhere = () => ({ line: 1, column: 1 })
  const { plan, problems } = planOf(content, fallback, {
    value: content,
    valueAt: nowhere,
    keyAt: nowhere,
    textAt: () => null
  })
  return plan ?? (yield* new PipelineInvalid({ source: null, problems }))
})
