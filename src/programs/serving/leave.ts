/** When a worker leaves: it has nothing left to do, or an older worker serves the queue too. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Schedules } from "../../services/Schedules.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { seenWorkers } from "./Seen.ts"

interface Leaving {
  readonly worker: Worker
  /** It looks after something that no other worker can take over without a loss. */
  readonly busy: boolean
  /** It has something to do soon, which an older worker would do as well. */
  readonly waits: boolean
  readonly idleMs: number
  readonly idleSince: Ref.Ref<number | null>
}

/** Whether this worker has left. */
export const leave = Effect.fn("leave")(function* ({ busy, idleMs, idleSince, waits, worker }: Leaving) {
  const registry = yield* WorkerRegistry
  const tasks = yield* Tasks
  const now = yield* elapsedMs
  if (busy) {
    yield* Ref.set(idleSince, null)
    return false
  }
  if (worker.kind === "on-demand") {
    const seen = yield* seenWorkers()
    const place = seen.findIndex((one) => one.worker.id === worker.id)
    const older = seen.slice(0, Math.max(0, place)).find(({ serving }) => serving === "serves")
    if (older !== undefined) return yield* registry.leave(worker.id, { superseded: older.worker.id })
  }
  const counts = yield* tasks.counts
  const schedules = yield* Schedules
  if (
    waits ||
    (counts.queued > 0 && !(yield* tasks.awaitAnswers)) ||
    counts.running > 0 ||
    Option.isSome(yield* schedules.nextFire)
  ) {
    yield* Ref.set(idleSince, null)
    return false
  }
  const since = (yield* Ref.get(idleSince)) ?? now
  yield* Ref.set(idleSince, since)
  return now - since >= idleMs ? yield* registry.leave(worker.id, "idle") : false
})
