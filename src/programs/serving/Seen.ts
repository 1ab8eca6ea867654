/** Who serves the queue: which of the registered workers can be counted on, as this process sees them now. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isServing, type Serving, servingOf, type Worker, type WorkerId } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

export interface Seen {
  readonly worker: Worker
  readonly serving: Serving
}

/** Oldest first. `leaving`: the asking worker itself, which is about to go. */
export const seenWorkers = Effect.fn("seenWorkers")(function* (leaving: WorkerId | null = null) {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const workers = yield* registry.workers
  if (workers.length === 0) return []
  const schema = (yield* registry.schema).known
  const now = yield* Clock.currentTimeMillis
  return yield* Effect.forEach(
    workers.filter(({ id }) => id !== leaving),
    (worker) =>
      Effect.gen(function* () {
        const alive = yield* processes.alive(worker.process)
        const stopped = alive === "alive" && (yield* processes.stopped(worker.process))
        const seen: Seen = { worker, serving: servingOf(worker, { alive, stopped, schema, uid: processes.uid, now }) }
        return seen
      })
  )
})

/** A process that is stopped for less than this, in milliseconds, is only held up: a debugger or a snapshot does that. */
const freezeMs = 2000

/** Whether the queue is served. Where only a stopped worker does it, a second look decides. */
export const hasWorker = Effect.fn("isServed")(function* (leaving: WorkerId | null = null) {
  const seen = yield* seenWorkers(leaving)
  if (seen.some(({ serving }) => isServing(serving))) return true
  if (!seen.some(({ serving }) => serving === "stopped")) return false
  yield* Effect.sleep(freezeMs)
  return (yield* seenWorkers(leaving)).some(({ serving }) => isServing(serving))
})
