/** Waits for a pipeline to end, from any process, without being busy; and cancels one. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Pipeline } from "../../domain/pipeline/Pipeline.ts"
import { isTerminal, type PipelineId } from "../../domain/task/Task.ts"
import { Loops } from "../../services/Loops.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { hasOpenCandidate } from "../contests/waitForContest.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { wakingStopped } from "../serving/wakingStopped.ts"
import { requireOwn } from "../tasks/requireOwn.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { waitUntil } from "../watch.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

interface PipelineWait extends EnsureWorkerOptions {
  /** Called in each round in which something may have changed, the last included. */
  readonly onRound?: (pipeline: Pipeline) => Effect.Effect<void>
}

/** Returns the pipeline as it ended. No time limit: `Effect.timeout` is for the caller. */
export const waitForPipeline = Effect.fn("waitForPipeline")(function* (id: PipelineId, options: PipelineWait) {
  const pipelines = yield* Pipelines
  const look = Effect.tap(pipelines.get(id), options.onRound ?? (() => Effect.void))
  return yield* waitUntil(look, ({ status }) => isTerminal(status), options)
})

/** Whether something that a step stands for still runs: a candidate of its contest, or a round of its loop. */
const hasOpenWork = Effect.fn("cancelPipeline.hasOpenWork")(function* ({ steps }: Pipeline) {
  const loops = yield* Loops
  for (const { contest, task } of steps) {
    if (contest !== null && (yield* hasOpenCandidate(contest))) return true
    const loop = yield* loops.ofStep(task.id)
    if (Option.isSome(loop) && loop.value.endedAt === null) return true
  }
  return false
})

export const requireOwnPipeline = ({ id, steps }: Pipeline, submitter: Submitter, step: string) =>
  requireOwn(
    submitter,
    steps.map(({ task }) => task.id),
    step,
    `pipeline ${id}`
  )

/** Returns when the processes of its steps are gone, and those of their candidates and rounds. */
export const cancelPipeline = Effect.fn("cancelPipeline")(function* (
  id: PipelineId,
  request: CancelRequest,
  submitter: Submitter,
  options: EnsureWorkerOptions
) {
  const pipelines = yield* Pipelines
  yield* requireOwnPipeline(yield* retryWhileBusy(pipelines.get(id)), submitter, "cancel")
  const answer = yield* retryWhileBusy(pipelines.cancel(id, request))
  const pipeline = yield* waitForPipeline(id, options).pipe(wakingStopped)
  yield* waitUntil(hasOpenWork(pipeline), (open) => !open, options).pipe(wakingStopped)
  return { answer, pipeline }
})
