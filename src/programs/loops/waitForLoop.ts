/** Waits for a loop to end, from any process, without being busy; and cancels one. */
import * as Effect from "effect/Effect"
import { isOpen, type Loop } from "../../domain/loop/Loop.ts"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import { Loops } from "../../services/Loops.ts"
import type { CancelRequest } from "../../services/Queue.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { wakingStopped } from "../serving/wakingStopped.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { waitUntil } from "../watch.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"
import { requireOwnLoop } from "./LoopChanges.ts"

interface LoopWait extends EnsureWorkerOptions {
  /** Receives the loop in each round of the wait, the last included. */
  readonly onRound?: (loop: Loop) => Effect.Effect<void>
}

/** A paused loop waits for a person: the wait for it is over. */
const isSettled = ({ status }: Loop) => !isOpen(status) || status === "paused"

/** Returns the loop as it ended or paused. No time limit: `Effect.timeout` is for the caller. */
export const waitForLoop = Effect.fn("waitForLoop")(function* (id: LoopId, options: LoopWait) {
  const loops = yield* Loops
  return yield* waitUntil(Effect.tap(loops.get(id), options.onRound ?? (() => Effect.void)), isSettled, options)
})

/** Returns when the processes of its tasks are gone. */
export const cancelLoop = Effect.fn("cancelLoop")(function* (
  id: LoopId,
  request: CancelRequest,
  submitter: Submitter,
  options: EnsureWorkerOptions
) {
  const loops = yield* Loops
  yield* requireOwnLoop(id, submitter, "cancel")
  const answer = yield* retryWhileBusy(loops.cancel(id, request))
  return { answer, loop: yield* waitForLoop(id, options).pipe(wakingStopped) }
})
