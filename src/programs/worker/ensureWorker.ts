/** Makes sure that a worker serves the queue: every command that submits or waits calls this. */
import * as Effect from "effect/Effect"
import { type StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { WorkerId } from "../../domain/worker/Worker.ts"
import { Paths } from "../../services/Paths.ts"
import { WorkerLauncher } from "../../services/WorkerLauncher.ts"
import { hasWorker } from "../serving/Seen.ts"

/**
 * Launches a worker where none serves the queue; true when it did. To be called after the commit that gives it work: a
 * worker that leaves looks at the queue in a transaction, so either it sees the task, or this sees that it has left.
 * `leaving`: the calling worker itself, which does not count any more.
 */
export const ensureWorker = Effect.fn("ensureWorker")(function* (leaving: WorkerId | null = null) {
  if (yield* hasWorker(leaving)) return false
  const launcher = yield* WorkerLauncher
  yield* launcher.launch
  return true
})

const checkMs = 2000
const slowestMs = 30_000

/** After this many launches in a row, with no worker seen between them, a person is warned. */
const launchesBeforeWarning = 3

export interface EnsureWorkerOptions {
  /** A worker was launched a moment ago: give it time to register before the first look. */
  readonly justLaunched: boolean
  /** Called once for each period in which no worker stays up. The wait continues. */
  readonly onTrouble: (problem: WorkerUnavailable | StorageError) => Effect.Effect<void>
}

/** Looks every two seconds whether the queue is served and launches a worker where it is not, ever more slowly. */
export const ensureWorkerRuns = Effect.fn("ensureWorkerRuns")(function* (options: EnsureWorkerOptions) {
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
