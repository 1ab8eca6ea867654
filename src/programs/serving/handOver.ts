/** A worker that is told to go sees to it that what is left has another. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
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

interface StopInTime<E, R> {
  readonly stop: Effect.Effect<unknown, never, R>
  readonly within: Duration.DurationInput
  readonly launch: Effect.Effect<void, E, R>
}

/**
 * Stops a worker in a process whose client does not wait for its exit. Where that takes longer than `within`, as it does while
 * another process holds the write lock, one is launched without a look at the database: it waits for the lock, sees that this
 * process is dead, and leaves if it is one too many. The exit has to follow immediately: a worker that finds this process
 * alive leaves the queue to it.
 */
export const stopInTime = Effect.fn("stopInTime")(function* <E, R>({ launch, stop, within }: StopInTime<E, R>) {
  const stopping = yield* Effect.forkDaemon(stop)
  const stopped = yield* Fiber.await(stopping).pipe(Effect.interruptible, Effect.timeoutOption(within))
  if (Option.isSome(stopped)) return
  yield* launch
  yield* Effect.logWarning("interrupted: the worker did not come off the list in time, and another one was launched")
})
