/** Waits for a pipeline to end, from any process, without being busy; and cancels one. */
import * as Effect from "effect/Effect"
import type { Pipeline } from "../../domain/Pipeline.ts"
import { isTerminal, type PipelineId } from "../../domain/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { nextChange, patiently } from "../changes.ts"
import { type KeepServedOptions, whileServed } from "../ensureRuntime.ts"

export interface PipelineWait extends KeepServedOptions {
  /** Told of each round in which something may have changed, the last included. */
  readonly onRound?: (pipeline: Pipeline) => Effect.Effect<void>
}

/** Returns the pipeline as it ended. No time limit: `Effect.timeout` is for the caller. */
export const waitForPipeline = Effect.fn("waitForPipeline")(function* (id: PipelineId, options: PipelineWait) {
  const tasks = yield* Tasks
  const pipelines = yield* Pipelines
  const round = Effect.tap(patiently(pipelines.get(id)), options.onRound ?? (() => Effect.void))
  // The version is read before the rows: a commit between the two is then seen as a change, never missed.
  let version = yield* patiently(tasks.version)
  const first = yield* round
  if (isTerminal(first.status)) return first
  const rest = Effect.gen(function* () {
    while (true) {
      version = yield* nextChange(version)
      const now = yield* round
      if (isTerminal(now.status)) return now
    }
  })
  return yield* whileServed(rest, options)
})

/** Returns when the processes of its steps are gone. */
export const cancelPipeline = Effect.fn("cancelPipeline")(function* (
  id: PipelineId,
  request: CancelRequest,
  options: KeepServedOptions
) {
  const pipelines = yield* Pipelines
  const answer = yield* patiently(pipelines.cancel(id, request))
  return { answer, pipeline: yield* waitForPipeline(id, options) }
})
