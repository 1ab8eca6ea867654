/** Which of the registered workers serve the queue, as this process sees them now. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { nearness } from "../../domain/worker/Process.ts"
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
  const { file, known: schema } = yield* registry.schema
  const now = yield* Clock.currentTimeMillis
  return yield* Effect.forEach(
    workers.filter(({ id }) => id !== leaving),
    (worker) =>
      Effect.gen(function* () {
        const alive = yield* processes.alive(worker.process)
        const stopped = alive === "alive" && (yield* processes.stopped(worker.process))
        const seen: Seen = {
          worker,
          serving: servingOf(worker, { alive, stopped, schema, file, uid: processes.uid, now })
        }
        return seen
      })
  )
})

/** A process that is stopped for less than this, in milliseconds, is only held up: a debugger or a snapshot does that. */
const freezeMs = 2000

/** A task was left here, where a worker of another container or host cannot see its processes. */
const isNeededHere = Effect.fn("isNeededHere")(function* (seen: ReadonlyArray<Seen>) {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const here = yield* processes.bootId
  const kept = new Set(seen.flatMap(({ serving, worker }) => (serving === "dead" ? [] : [worker.id])))
  return (yield* registry.claims).some(
    ({ bootId, workerId }) => !kept.has(workerId) && nearness(bootId, here) === "here"
  )
})

/**
 * Whether the queue is served. Where only a stopped worker does it, a second look decides. A worker of another container or
 * host is enough, unless a task was left here.
 */
export const hasWorker = Effect.fn("hasWorker")(function* (leaving: WorkerId | null = null) {
  const seen = yield* seenWorkers(leaving)
  if (seen.some(({ serving }) => serving === "serves")) return true
  if (seen.some(({ serving }) => serving === "elsewhere")) return !(yield* isNeededHere(seen))
  if (!seen.some(({ serving }) => serving === "stopped")) return false
  yield* Effect.sleep(freezeMs)
  return (yield* seenWorkers(leaving)).some(({ serving }) => isServing(serving))
})
