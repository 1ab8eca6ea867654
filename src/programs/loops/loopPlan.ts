/** Checks what a loop file says and works out its plan. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { isObject } from "../../domain/isObject.ts"
import { mostSteps } from "../../domain/loop/Loop.ts"
import { LoopFileStep, LoopFrame } from "../../domain/loop/LoopFile.ts"
import type { LoopPlan } from "../../domain/loop/LoopPlan.ts"
import { type LoopWord, type LoopWords, loopRequest, loopWords, wordProblem } from "../../domain/loop/LoopRequest.ts"
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { PipelineInvalid } from "../../domain/pipeline/PipelineErrors.ts"
import type { PlannedStep } from "../../domain/pipeline/PlannedStep.ts"
import { plainStep } from "../../domain/pipeline/plainStep.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import { Labels } from "../../domain/task/Task.ts"
import type { Parsed, Path } from "../files/Document.ts"
import { problem, problemsOf } from "../files/Problems.ts"
import { type Checked, type Format, type ReadOptions, readFile } from "../files/readFile.ts"

/** What a file says, before the options of a command are added. */
interface LoopDraft {
  readonly words: LoopWords
  readonly base: string | null
  /** What the top of the file says for every step that says nothing else. */
  readonly defaults: PlannedStep
  readonly steps: ReadonlyArray<PlannedStep>
}

const strictly = { onExcessProperty: "error", errors: "all" } as const
const readFrame = Schema.decodeUnknownEither(LoopFrame, strictly)
const readStep = Schema.decodeUnknownEither(LoopFileStep, strictly)
const isLabels = Schema.is(Labels)

const keysAt = (path: Path): ReadonlyArray<string> =>
  Object.keys(path.length === 0 ? LoopFrame.fields : LoopFileStep.fields)

const quoted = (word: LoopWord): string => `'${word}'`

const wordsIn = (frame: LoopFrame): LoopWords => {
  const entries = Object.keys(loopWords).map((word) => [word, Reflect.get(frame, word)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

type Settings = Pick<LoopFrame, Exclude<keyof LoopFileStep, "name" | "prompt" | "continueFrom"> | "directory">

/** Each step follows the one before it. */
const stepOf = (
  position: number,
  { continueFrom, name, prompt }: Pick<LoopFileStep, "continueFrom" | "name" | "prompt">,
  settings: Settings
): PlannedStep => ({
  ...plainStep({
    name: name ?? `step-${position + 1}`,
    prompt,
    stage: position,
    after: position === 0 ? [] : [position - 1]
  }),
  agent: settings.agent ?? null,
  model: settings.model ?? null,
  directory: settings.directory ?? null,
  priority: settings.priority ?? null,
  timeoutMs: settings.timeout ?? null,
  stallMs: settings.stall ?? null,
  systemPrompt: settings.systemPrompt ?? null,
  labels: settings.labels ?? {},
  retries: settings.retries ?? null,
  backoffMs: settings.backoff ?? null,
  continueFrom: continueFrom === true ? position - 1 : null
})

const fill = (step: PlannedStep, other: Partial<PlannedStep>): PlannedStep => ({
  ...step,
  agent: step.agent ?? other.agent ?? null,
  // A model belongs to its agent.
  model: step.model ?? (step.agent === null || (other.agent ?? null) === null ? (other.model ?? null) : null),
  directory: step.directory ?? other.directory ?? null,
  priority: step.priority ?? other.priority ?? null,
  timeoutMs: step.timeoutMs ?? other.timeoutMs ?? null,
  stallMs: step.stallMs ?? other.stallMs ?? null,
  systemPrompt: step.systemPrompt ?? other.systemPrompt ?? null,
  labels: { ...other.labels, ...step.labels },
  retries: step.retries ?? other.retries ?? null,
  backoffMs: step.backoffMs ?? other.backoffMs ?? null
})

/** What `own` leaves open is as in `others`, the first of them that says it. */
const filledIn = (own: PlannedStep, ...others: ReadonlyArray<Partial<PlannedStep>>): PlannedStep =>
  others.reduce<PlannedStep>(fill, own)

const readSteps = (raw: ReadonlyArray<unknown>, frame: LoopFrame, parsed: Parsed) => {
  const problems: Array<PipelineProblem> = []
  const steps: Array<PlannedStep> = []
  const names = new Map<string, Path>()
  const add = (path: Path, message: string, hint: string | null) =>
    problems.push(problem(parsed.valueAt(path), `${nameOf(path)}: ${message}`, hint))
  if (raw.length === 0 || raw.length > mostSteps) {
    const count = raw.length === 0 ? "there is no step" : `${raw.length} are too many`
    add(["steps"], count, `A round has 1 to ${mostSteps} steps.`)
  }
  for (const [position, each] of raw.slice(0, mostSteps * 10).entries()) {
    const path: Path = ["steps", position]
    const entry: unknown = typeof each === "string" ? { prompt: each } : each
    if (!isObject(entry)) {
      const hint = Array.isArray(entry) ? "The steps of a round follow one another in one workspace." : null
      add(path, "expected a step or a prompt", hint)
      continue
    }
    const step = readStep(entry)
    if (Either.isLeft(step)) {
      problems.push(...problemsOf(step.left, entry, path, keysAt, parsed))
      continue
    }
    const { name = `step-${position + 1}` } = step.right
    const first = names.get(name)
    if (first !== undefined) {
      const { line } = parsed.valueAt(first)
      add([...path, "name"], `a step is called '${name}' already`, `The other one is in line ${line}.`)
    }
    names.set(name, path)
    const labels = { ...frame.labels, ...step.right.labels }
    if (!isLabels(labels)) add([...path, "labels"], "more than 32 with those of the loop", "Leave some out.")
    if (step.right.continueFrom === true && position === 0)
      add([...path, "continueFrom"], "there is no step before this one", "Each round is told about those before it.")
    steps.push(stepOf(position, step.right, step.right))
  }
  return { problems, steps }
}

const draftOf = (content: Readonly<Record<string, unknown>>, _name: string, parsed: Parsed): Checked<LoopDraft> => {
  const problems: Array<PipelineProblem> = []
  const read = readFrame(content)
  if (Either.isLeft(read)) problems.push(...problemsOf(read.left, content, [], keysAt, parsed))
  const frame = Either.getOrElse(read, (): LoopFrame => ({}))
  const { steps: raw } = content
  const listed = Array.isArray(raw) ? readSteps(raw, frame, parsed) : null
  if (listed !== null) problems.push(...listed.problems)
  if (Either.isRight(read)) {
    if (frame.prompt !== undefined && listed !== null)
      problems.push(
        problem(
          parsed.keyAt(["prompt"]),
          "prompt: there are steps too",
          "Make it the prompt of a step, or leave it out."
        )
      )
    if (frame.prompt === undefined && listed === null)
      problems.push(problem(parsed.valueAt([]), "prompt: it is missing", "Or write the 'steps' of a round."))
    const wrong = wordProblem(wordsIn(frame), "a loop", quoted)
    // What is missing may be given as an option.
    if (wrong !== null && wrong.word !== null)
      problems.push(problem(parsed.keyAt([wrong.word]), wrong.problem, wrong.hint))
  }
  if (problems.length > 0) return { plan: null, problems }
  const { base = null, prompt = "" } = frame
  const steps = listed?.steps ?? [stepOf(0, { prompt }, {})]
  return { plan: { words: wordsIn(frame), base, defaults: stepOf(0, { prompt: "" }, frame), steps }, problems: [] }
}

const loopFormat: Format<LoopDraft> = {
  key: "until",
  example: "{ prompt: make the tests pass, until: npm test }",
  planOf: draftOf
}

export const readLoop = (text: string, options: ReadOptions) => readFile(text, options, loopFormat)

/** Refuses a file that names nothing that decides, unless `words` from elsewhere do. */
export const loopPlan = Effect.fn("loopPlan")(function* (
  { base, defaults, steps, words: written }: LoopDraft,
  given: {
    readonly source: string | null
    readonly words: LoopWords
    readonly base: string | null
    readonly settings: Partial<PlannedStep>
  }
) {
  const words = { ...written, ...given.words }
  const wrong = wordProblem(words, "a loop", quoted)
  if (wrong !== null) {
    const place = { line: 1, column: 1 }
    return yield* new PipelineInvalid({ source: given.source, problems: [problem(place, wrong.problem, wrong.hint)] })
  }
  const plan: LoopPlan = {
    request: loopRequest(words),
    base: given.base ?? base ?? "HEAD",
    steps: steps.map((step) => filledIn(step, given.settings, defaults))
  }
  return plan
})
