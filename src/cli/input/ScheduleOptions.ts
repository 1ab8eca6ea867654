/** The options that say when a schedule fires and by which rules, and what a run of it starts. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { zeroIsNone } from "../../domain/Duration.ts"
import { MissedPolicy, OverlapPolicy } from "../../domain/schedule/Schedule.ts"
import { requireGroup } from "../../programs/gates/requireGroup.ts"
import { loopSteps } from "../../programs/loops/loopSteps.ts"
import { loopTask } from "../../programs/loops/loopTask.ts"
import { planOfWork } from "../../programs/loops/planOfWork.ts"
import { requireSessions } from "../../programs/loops/requireSessions.ts"
import { preparePipeline, refuseIsolation } from "../../programs/pipelines/preparePipeline.ts"
import { promptPlan } from "../../programs/pipelines/promptPlan.ts"
import { pipelineWork, taskWork, type WrittenRules } from "../../programs/schedules/ScheduleChanges.ts"
import { prepareTask, type Submission } from "../../programs/tasks/prepareTask.ts"
import type { Submitter } from "../../programs/tasks/Submitter.ts"
import { realDirectory } from "../../programs/workspaces/realDirectory.ts"
import { Directories } from "../../services/Directories.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Caller } from "../framework/Caller.ts"
import { UsageError } from "../framework/UsageError.ts"
import { loopOptions, requestGiven, settingsGiven, wordsGiven } from "./LoopOptions.ts"
import { loopFromFile, planFromFile, planOfLoop } from "./PipelineInput.ts"
import { captureOptions, groupOption, labelsOf, maxOutputOf, taskOptions } from "./TaskOptions.ts"
import { choice, count, duration, fileVariables, optionalText } from "./Values.ts"

/** When, and by which rules. Null is "not given". */
export const ruleOptions = {
  cron: optionalText("cron", "expression").pipe(
    Options.withDescription(
      "Run at these times: five fields (minute hour day month weekday), six with seconds first, or @daily, @hourly, ..."
    )
  ),
  every: optionalText("every", "duration").pipe(Options.withDescription("Repeat at this interval, e.g. 15m")),
  at: optionalText("at", "time").pipe(
    Options.withDescription("Run once at this time, e.g. 2026-12-01T09:00, 2h (from now) or 'tomorrow 9am'")
  ),
  timezone: optionalText("timezone", "zone").pipe(
    Options.withAlias("z"),
    Options.withDescription("Time zone, e.g. Europe/Berlin (default: the system's)")
  ),
  name: optionalText("name", "name").pipe(
    Options.withDescription("Name the schedule; commands accept the name instead of the id")
  ),
  maxRuns: count("max-runs", 1, 1_000_000_000).pipe(
    Options.withDefault(null),
    Options.withDescription("Stop after this many runs")
  ),
  expires: optionalText("expires", "time").pipe(Options.withDescription("Stop at this time (same formats as --at)")),
  missed: choice("missed", MissedPolicy.literals).pipe(
    Options.withDefault(null),
    Options.withDescription(
      "What to do with runs missed while no worker was running: skip them, run the latest once, or run all, at most 100 (default: run-once with --at, otherwise skip)"
    )
  ),
  grace: duration("grace").pipe(
    Options.withDefault(null),
    Options.withDescription("Treat a run that is late by at most this as on time (default: 5m)")
  ),
  overlap: choice("overlap", OverlapPolicy.literals).pipe(
    Options.withDefault(null),
    Options.withDescription(
      "What to do when a run is due while the previous one is still running (default: queue with --missed run-all, otherwise skip)"
    )
  ),
  jitter: duration("jitter").pipe(
    Options.withDefault(null),
    Options.withDescription(
      "Delay each run by less than this, to spread the load; the delay is the same each time for one schedule and time"
    )
  ),
  after: optionalText("after", "schedule").pipe(
    Options.withDescription("Start each run when the newest run of that schedule has completed")
  )
}

/** What runs. Null and undefined are "not given". */
export const workOptions = {
  step: Options.text("step").pipe(
    Options.withPseudoName("prompt"),
    Options.repeated,
    Options.withDescription("Run a pipeline: add a step with this prompt; repeatable, in order")
  ),
  pipeline: optionalText("pipeline", "file").pipe(
    Options.withDescription("Run the pipeline in this file (format: 'beat pipeline schema')")
  ),
  loop: optionalText("loop", "file").pipe(
    Options.withDescription("Run the loop in this file (format: 'beat loop schema')")
  ),
  ...loopOptions,
  var: fileVariables,
  ...taskOptions,
  group: groupOption,
  ...captureOptions
}

const _rules = Options.all(ruleOptions)
const _work = Options.all(workOptions)
type GivenRules = typeof _rules extends Options.Options<infer A> ? A : never
type GivenWork = typeof _work extends Options.Options<infer A> ? A : never

export const rulesOf = (given: GivenRules): WrittenRules => ({
  cron: given.cron,
  every: given.every,
  at: given.at,
  timezone: given.timezone,
  name: given.name,
  maxRuns: given.maxRuns,
  expires: given.expires,
  missed: given.missed,
  graceMs: given.grace,
  overlap: given.overlap,
  jitterMs: given.jitter,
  after: given.after
})

/** Whether the options have words of a loop: without a file, the prompt is its work. */
export const isLoop = (given: GivenWork): boolean => Object.keys(wordsGiven(given)).length > 0 || given.base !== null

/** Whether the work is a pipeline, or a loop from a file. */
export const isMany = (given: GivenWork): boolean =>
  given.step.length > 0 || given.pipeline !== null || given.loop !== null

/** Whether the options say what runs. */
export const saysWork = (given: GivenWork): boolean =>
  isMany(given) ||
  isLoop(given) ||
  [given.group, given.agent, given.model, given.directory, given.systemPrompt].some((one) => one !== null) ||
  [given.priority, given.timeout, given.stall, given.maxOutput, given.retries, given.backoff].some(
    (one) => one !== undefined
  ) ||
  [given.env, given.label, given.var].some((record) => Object.keys(record).length > 0)

const usage = (problem: string, hint: string | null = null) => new UsageError({ problem, hint })

const optional = <K extends string, A>(key: K, value: A | undefined): { readonly [P in K]?: A } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: A })

/** The task that these options describe; `before` supplies what they leave open. */
export const submissionOf = Effect.fn("schedule.submission")(function* (
  given: GivenWork,
  prompt: string,
  before: Submission | null
) {
  const caller = yield* Caller
  const directories = yield* Directories
  const labels = yield* labelsOf(given.label)
  const directory = given.directory ?? before?.directory ?? caller.directory
  const submission: Submission = {
    prompt,
    agent: given.agent ?? before?.agent ?? null,
    model: given.model ?? before?.model ?? null,
    systemPrompt: given.systemPrompt ?? before?.systemPrompt ?? null,
    priority: given.priority ?? before?.priority ?? "P1",
    directory: yield* directories.resolve(directory, caller.directory),
    timeoutMs: given.timeout === undefined ? before?.timeoutMs : zeroIsNone(given.timeout),
    stallMs: given.stall === undefined ? before?.stallMs : zeroIsNone(given.stall),
    maxOutputBytes: (yield* maxOutputOf(given.maxOutput)) ?? before?.maxOutputBytes,
    notBefore: null,
    idempotencyKey: null,
    labels: Object.keys(labels).length === 0 ? (before?.labels ?? {}) : labels,
    extra: given.env,
    retryOf: null,
    ...optional("group", (yield* requireGroup(given.group)) ?? before?.group),
    ...optional("maxRetries", given.retries ?? before?.maxRetries),
    ...optional("backoffMs", given.backoff ?? before?.backoffMs)
  }
  return submission
})

const planOf = Effect.fn("schedule.plan")(function* (given: GivenWork, name: string | null) {
  if (given.group !== null) return yield* usage("--group works for a task, not for a pipeline")
  if (given.pipeline !== null) {
    if (given.step.length > 0) return yield* usage("--pipeline and --step cannot be combined")
    return yield* planFromFile(given.pipeline, given.var)
  }
  if (Object.keys(given.var).length > 0) return yield* usage("--var works only with --pipeline or --loop")
  const empty = given.step.findIndex((prompt) => prompt.trim() === "")
  if (empty >= 0) return yield* usage(`--step number ${empty + 1} is empty`)
  if (given.step.length > 100) return yield* usage("A pipeline has 1 to 100 steps")
  return promptPlan(name, given.step)
})

interface Asked {
  readonly prompt: string | null
  readonly piped: string | null
  readonly name: string | null
  /** What the schedule starts before it is edited; null where it is new, or starts more than a task. */
  readonly before: Submission | null
}

/** The loop that a prompt and options describe. */
const planOfPrompt = Effect.fn("schedule.loopOfPrompt")(function* (
  given: GivenWork,
  asked: Asked,
  submitter: Submitter
) {
  const { before, piped, prompt } = asked
  if (Object.keys(given.var).length > 0) return yield* usage("--var works only with --pipeline or --loop")
  if (prompt === null)
    return yield* usage("The prompt of the loop is missing", 'beat schedule create --cron @daily "PROMPT" --until CMD')
  const request = yield* requestGiven(wordsGiven(given), "A loop")
  const work = yield* submissionOf(given, prompt, before)
  // What is piped in is a part of the prompt by then, where the agent is one that takes it.
  const { task, warnings } = yield* prepareTask({ ...work, piped }, submitter)
  const plan = planOfWork({ request, base: given.base ?? "HEAD" }, { name: "step-1", prompt: task.prompt }, work)
  return { plan, work, warnings }
})

const planOfFile = Effect.fn("schedule.loopOfFile")(function* (given: GivenWork, file: string, { prompt }: Asked) {
  if (prompt !== null) return yield* usage("A prompt and a loop file cannot be combined")
  const draft = yield* loopFromFile(file, given.var)
  const words = wordsGiven(given)
  const plan = yield* planOfLoop(draft, {
    source: file,
    words,
    base: given.base,
    settings: yield* settingsGiven(given)
  })
  return { plan, work: yield* submissionOf(given, "", null), warnings: [] }
})

/** A task whose work is a loop: each run of it cuts a workspace from what is checked out then. */
const captureLoop = Effect.fn("schedule.loop")(function* (given: GivenWork, asked: Asked, submitter: Submitter) {
  if (given.step.length > 0 || given.pipeline !== null) return yield* usage("A loop works alone, without a pipeline")
  if (given.group !== null) return yield* usage("--group works for a task, not for a loop")
  const { plan, warnings, work } =
    given.loop === null ? yield* planOfPrompt(given, asked, submitter) : yield* planOfFile(given, given.loop, asked)
  const directory = plan.steps[0]?.directory ?? work.directory
  // That it can be isolated, and its agents, are known before anything is stored.
  yield* (yield* WorkspaceGit).inspect(realDirectory(directory, submitter.environment))
  const steps = yield* loopSteps(plan, { directory })
  const hints = yield* Effect.forEach(steps, (step) => prepareTask(step.work, submitter))
  yield* requireSessions(
    plan.request,
    hints.map(({ task }) => task.agent)
  )
  const captured = yield* prepareTask(loopTask({ ...work, directory }, plan), submitter)
  const all = [...warnings, ...hints.flatMap((one) => one.warnings), ...captured.warnings]
  return { work: taskWork(captured.task), warnings: Array.from(new Set(all)) }
})

/** The captured work of a schedule, with hints about its agents. */
export const captureWork = Effect.fn("schedule.capture")(function* (
  given: GivenWork,
  options: Asked,
  submitter: Submitter
) {
  if (given.loop !== null || isLoop(given)) return yield* captureLoop(given, options, submitter)
  if (isMany(given)) {
    if (options.prompt !== null) return yield* usage("A prompt and a pipeline cannot be combined")
    if (Object.keys(given.env).length > 0)
      return yield* usage("--env works only with tasks; a pipeline gets the current environment")
    const plan = yield* planOf(given, options.name)
    yield* refuseIsolation(plan)
    const { extra: _extra, ...defaults } = yield* submissionOf(given, "", null)
    const { pipeline, warnings } = yield* preparePipeline(plan, { ...defaults, piped: options.piped }, submitter)
    return { work: pipelineWork(pipeline), warnings }
  }
  if (Object.keys(given.var).length > 0) return yield* usage("--var works only with --pipeline or --loop")
  const submission = yield* submissionOf(given, options.prompt ?? "", options.before)
  const { task, warnings } = yield* prepareTask({ ...submission, piped: options.piped }, submitter)
  return { work: taskWork(task), warnings }
})
