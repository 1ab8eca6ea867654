/** A worker that is told to go sees to it that what is left has another. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { WorkerId } from "../../domain/worker/Worker.ts"
import { Schedules } from "../../services/Schedules.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerLauncher } from "../../services/WorkerLauncher.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"

/**
 * To be called when the worker has stopped working. True: another was launched. Where its row could not be taken off the
 * list, because the database was locked, others have counted on it: then one is launched in any case, and leaves if it is
 * one too many.
 */
export const handOver = Effect.fn("handOver")(function* (leaving: WorkerId) {
  const registry = yield* WorkerRegistry
  const launcher = yield* WorkerLauncher
  if ((yield* registry.workers).some(({ id }) => id === leaving)) {
    yield* launcher.launch
    return true
  }
  const { queued, running } = yield* (yield* Tasks).counts
  const scheduled = yield* (yield* Schedules).nextFire
  return queued + running > 0 || Option.isSome(scheduled) ? yield* ensureWorker(leaving) : false
})
