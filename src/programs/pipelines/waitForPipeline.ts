/** Waits for a pipeline to end, from any process, without being busy; and cancels one. */
import * as Effect from "effect/Effect"
import type { Pipeline } from "../../domain/pipeline/Pipeline.ts"
import { isTerminal, type PipelineId } from "../../domain/task/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { nextChange, retryWhileBusy } from "../changes.ts"
import { type EnsureWorkerOptions, whileWorkerRuns } from "../worker/ensureWorker.ts"

export interface PipelineWait extends EnsureWorkerOptions {
  /** Told of each round in which something may have changed, the last included. */
  readonly onRound?: (pipeline: Pipeline) => Effect.Effect<void>
}

/** Returns the pipeline as it ended. No time limit: `Effect.timeout` is for the caller. */
export const waitForPipeline = Effect.fn("waitForPipeline")(function* (id: PipelineId, options: PipelineWait) {
  const tasks = yield* Tasks
  const pipelines = yield* Pipelines
  const round = Effect.tap(retryWhileBusy(pipelines.get(id)), options.onRound ?? (() => Effect.void))
  // The version is read before the rows: a commit between the two is then seen as a change, never missed.
  let version = yield* retryWhileBusy(tasks.version)
  const first = yield* round
  if (isTerminal(first.status)) return first
  const rest = Effect.gen(function* () {
    while (true) {
      version = yield* nextChange(version)
      const now = yield* round
      if (isTerminal(now.status)) return now
    }
  })
  return yield* whileWorkerRuns(rest, options)
})

/** Returns when the processes of its steps are gone. */
export const cancelPipeline = Effect.fn("cancelPipeline")(function* (
  id: PipelineId,
  request: CancelRequest,
  options: EnsureWorkerOptions
) {
  const pipelines = yield* Pipelines
  const answer = yield* retryWhileBusy(pipelines.cancel(id, request))
  return { answer, pipeline: yield* waitForPipeline(id, options) }
})
