/** Waits for a pipeline to end, from any process, without being busy; and cancels one. */
import * as Effect from "effect/Effect"
import type { Pipeline } from "../../domain/pipeline/Pipeline.ts"
import { isTerminal, type PipelineId } from "../../domain/task/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { retryWhileBusy } from "../changes.ts"
import { waitUntil } from "../waitUntil.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

export interface PipelineWait extends EnsureWorkerOptions {
  /** Told of each round in which something may have changed, the last included. */
  readonly onRound?: (pipeline: Pipeline) => Effect.Effect<void>
}

/** Returns the pipeline as it ended. No time limit: `Effect.timeout` is for the caller. */
export const waitForPipeline = Effect.fn("waitForPipeline")(function* (id: PipelineId, options: PipelineWait) {
  const pipelines = yield* Pipelines
  const look = Effect.tap(pipelines.get(id), options.onRound ?? (() => Effect.void))
  return yield* waitUntil(look, ({ status }) => isTerminal(status), options)
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
