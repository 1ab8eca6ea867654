/** Cancels a goal: the loop ends, and everything below its leads with it. */
import * as Effect from "effect/Effect"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import { Loops } from "../../services/Loops.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { cancelLoop } from "../loops/waitForLoop.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { cancel } from "../tasks/cancel.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

/** Returns when the processes of all its tasks are gone. */
export const cancelGoal = Effect.fn("cancelGoal")(function* (
  id: LoopId,
  request: CancelRequest,
  submitter: Submitter,
  options: EnsureWorkerOptions
) {
  const loops = yield* Loops
  const cancelled = yield* cancelLoop(id, request, submitter, options)
  const { rounds } = yield* retryWhileBusy(loops.get(id))
  const leads = rounds.flatMap(({ workTasks }) => workTasks)
  // The lead is over by now; what it delegated may take a moment.
  yield* cancel(leads, { ...options, tree: true, ...request })
  return cancelled
})
