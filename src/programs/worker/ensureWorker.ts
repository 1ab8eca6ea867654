/** Makes sure that a worker serves the queue: every command that submits or waits calls this. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import { Paths } from "../../services/Paths.ts"
import { Processes } from "../../services/Processes.ts"
import { WorkerLauncher } from "../../services/WorkerLauncher.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

/** Whether a registered worker lives. */
export const hasWorker = Effect.fn("isServed")(function* () {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const workers = yield* registry.workers
  const found = yield* Effect.findFirst(workers.toReversed(), (worker) => processes.alive(worker.process))
  return Option.isSome(found)
})

/**
 * Launches a worker where none lives; true when it did. To be called after the commit that gives it work: a worker
 * that leaves looks at the queue in a transaction, so either it sees the task, or this sees that it has left.
 */
export const ensureWorker = Effect.fn("ensureWorker")(function* () {
  if (yield* hasWorker()) return false
  const launcher = yield* WorkerLauncher
  yield* launcher.launch
  return true
})

const checkMs = 2000
const slowestMs = 30_000

/** Launches in a row, with no worker seen between them, after which a person should hear of it. */
const launchesBeforeWarning = 3

export interface EnsureWorkerOptions {
  /** A worker was launched a moment ago: give it time to register before the first look. */
  readonly justLaunched: boolean
  /** Called once for each period in which no worker stays up. The wait continues. */
  readonly onTrouble: (problem: WorkerUnavailable | StorageError) => Effect.Effect<void>
}

/** Looks every two seconds whether the queue is served and launches a worker where it is not, ever more slowly. */
export const ensureWorkerRuns = Effect.fn("keepServed")(function* (options: EnsureWorkerOptions) {
  const paths = yield* Paths
  let failures = options.justLaunched ? 1 : 0
  let pause = checkMs
  if (options.justLaunched) yield* Effect.sleep(pause)
  while (true) {
    const result = yield* Effect.either(ensureWorker())
    if (result._tag === "Right" && !result.right) {
      failures = 0
      pause = checkMs
    } else {
      failures += 1
      if (failures === launchesBeforeWarning) {
        yield* options.onTrouble(
          result._tag === "Left"
            ? result.left
            : new WorkerUnavailable({ detail: "it ends as soon as it has started", log: paths.logs })
        )
      }
    }
    yield* Effect.sleep(pause)
    if (failures > 0) pause = Math.min(pause * 2, slowestMs)
  }
})

/** Runs a wait with the queue kept served for as long as it lasts. */
export const whileWorkerRuns = <A, E, R>(wait: Effect.Effect<A, E, R>, options: EnsureWorkerOptions) =>
  Effect.raceFirst(wait, ensureWorkerRuns(options))
