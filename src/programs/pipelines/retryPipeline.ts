/** Retries a pipeline that has not completed: completed steps are kept, the others run again. */
import * as Effect from "effect/Effect"
import type { NewPipelineStep, Pipeline, PipelineStep } from "../../domain/pipeline/Pipeline.ts"
import { PipelineStateConflict } from "../../domain/pipeline/PipelineErrors.ts"
import type { Upstream } from "../../domain/task/NewTask.ts"
import { isTerminal, type PipelineId } from "../../domain/task/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Tasks } from "../../services/Tasks.ts"
import { prepareTask } from "../tasks/prepareTask.ts"
import { resubmit } from "../tasks/resubmit.ts"
import { resubmitted } from "../tasks/retry.ts"
import type { Submitter } from "../tasks/submitter.ts"
import { storePipeline } from "./submitPipeline.ts"

/** Places of the steps that are kept: completed, and so were all they followed. */
const keptOf = ({ steps }: Pipeline): ReadonlySet<number> => {
  const kept = new Set<number>()
  const isKept = (place: number): boolean => {
    const step = steps[place]
    return step !== undefined && step.status === "completed" && step.after.every(isKept)
  }
  for (const { position } of steps) if (isKept(position)) kept.add(position)
  return kept
}

/** The limits of its first try: each automatic retry has less left of them. */
const retriesOf = Effect.fn("retryPipeline.retries")(function* ({ task }: PipelineStep) {
  if (task.rootId === null || task.continuation !== "retry") return task
  const tasks = yield* Tasks
  return yield* tasks.summary(task.rootId).pipe(Effect.catchTag("TaskNotFound", () => Effect.succeed(task)))
})

export const retryPipeline = Effect.fn("retryPipeline")(function* (id: PipelineId, submitter: Submitter) {
  const tasks = yield* Tasks
  const pipeline = yield* (yield* Pipelines).get(id)
  if (!isTerminal(pipeline.status) || pipeline.status === "completed") {
    return yield* new PipelineStateConflict({ id, actual: pipeline.status })
  }
  const kept = keptOf(pipeline)
  const fresh = pipeline.steps.filter(({ position }) => !kept.has(position)).map(({ position }) => position)
  const upstream = (place: number): Upstream => {
    const step = pipeline.steps[place]
    return step !== undefined && kept.has(place) ? step.task.id : { member: fresh.indexOf(place) }
  }
  const warnings = new Set<string>()
  const steps = yield* Effect.forEach(pipeline.steps, (step) =>
    Effect.gen(function* () {
      const { after, continueFrom, delayMs, name, policy, stage, task } = step
      const place = { name, stage, policy, after, delayMs, continueFrom }
      if (kept.has(step.position)) return { ...place, work: { kept: task.id } } satisfies NewPipelineStep
      const whole = yield* tasks.get(task.id)
      const { environment, submission } = yield* resubmit(whole, submitter.environment.PATH)
      const { backoffMs, maxRetries } = yield* retriesOf(step)
      // A step that never ran has nothing to be tried again.
      const began = task.startedAt !== null
      const prepared = yield* prepareTask(
        {
          ...submission,
          ...(began ? resubmitted(whole) : { retryOf: null }),
          dependsOn: after.map((other) => ({ upstream: upstream(other), policy })),
          continueFrom: continueFrom === null ? null : upstream(continueFrom),
          maxRetries,
          backoffMs
        },
        { ...submitter, environment }
      )
      for (const warning of prepared.warnings) warnings.add(`${name}: ${warning}`)
      return { ...place, work: prepared.task } satisfies NewPipelineStep
    })
  )
  return yield* storePipeline({ name: pipeline.name, steps, retryOf: id, idempotencyKey: null }, Array.from(warnings))
})
