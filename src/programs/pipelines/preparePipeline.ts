/** Makes a pipeline ready to be stored: each step with its task, and what the plan left open from its submitter. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import type { NewPipeline, PipelinePlan, PlannedStep } from "../../domain/pipeline/Pipeline.ts"
import { Labels } from "../../domain/task/Task.ts"
import { Directories } from "../../services/Directories.ts"
import { prepareTask, type Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/submitter.ts"

/** What a submission says for every step that says nothing else. */
export type PipelineDefaults = Pick<
  Submission,
  "agent" | "model" | "systemPrompt" | "priority" | "directory" | "timeoutMs" | "stallMs" | "labels"
> &
  Pick<Partial<Submission>, "maxRetries" | "backoffMs"> & {
    /** Text that the submitter piped in: it goes to the first step. */
    readonly piped?: string | null
  }

const isLabels = Schema.is(Labels)

/** As written, 0 is none; null is what the others say. */
const orElse = (written: number | null, otherwise: number | null | undefined) =>
  written === null ? otherwise : written === 0 ? null : written

const submissionOf = Effect.fn("preparePipeline.submission")(function* (step: PlannedStep, defaults: PipelineDefaults) {
  const directories = yield* Directories
  const labels = { ...defaults.labels, ...step.labels }
  if (!isLabels(labels))
    return yield* new InvalidInput({ field: "labels", problem: "more than 32 in all", example: null })
  const edges = step.after.map((member) => ({ upstream: { member }, policy: step.policy }))
  const retries = step.retries ?? defaults.maxRetries
  const backoffMs = step.backoffMs ?? defaults.backoffMs
  const submission: Submission = {
    prompt: step.prompt,
    agent: step.agent ?? defaults.agent,
    model: step.model ?? defaults.model,
    systemPrompt: step.systemPrompt ?? defaults.systemPrompt,
    priority: step.priority ?? defaults.priority,
    directory:
      step.directory === null ? defaults.directory : yield* directories.resolve(step.directory, defaults.directory),
    timeoutMs: orElse(step.timeoutMs, defaults.timeoutMs),
    stallMs: orElse(step.stallMs, defaults.stallMs),
    maxOutputBytes: undefined,
    notBefore: null,
    idempotencyKey: null,
    labels,
    extra: {},
    retryOf: null,
    dependsOn: edges,
    continueFrom: step.continueFrom === null ? null : { member: step.continueFrom },
    ...(retries === undefined ? {} : { maxRetries: retries }),
    ...(backoffMs === undefined ? {} : { backoffMs })
  }
  return submission
})

/** Stores nothing. Also returns hints about the agents. */
export const preparePipeline = Effect.fn("preparePipeline")(function* (
  plan: PipelinePlan,
  defaults: PipelineDefaults,
  submitter: Submitter
) {
  const warnings = new Set<string>()
  const steps = yield* Effect.forEach(plan.steps, (step, index) =>
    Effect.gen(function* () {
      const submission = {
        ...(yield* submissionOf(step, defaults)),
        piped: index === 0 ? (defaults.piped ?? null) : null
      }
      const prepared = yield* prepareTask(submission, submitter)
      for (const warning of prepared.warnings) warnings.add(`${step.name}: ${warning}`)
      const { after, continueFrom, delayMs, name, policy, stage } = step
      return { name, stage, policy, after, delayMs, continueFrom, work: prepared.task }
    }).pipe(
      Effect.catchTag("InvalidInput", (error) =>
        Effect.fail(new InvalidInput({ field: `${step.name}.${error.field}`, problem: error.problem, example: null }))
      )
    )
  )
  const pipeline: NewPipeline = { name: plan.name, steps, retryOf: null, idempotencyKey: null }
  return { pipeline, warnings: Array.from(warnings) }
})
