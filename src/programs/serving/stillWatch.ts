/**
 * Lets an idle worker leave out whole looks: one statement tells that nothing has changed since the last one. A whole look is
 * some thirty statements, rows of settings and a fiber for each, which was 2 % of a core where schedules are active.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import { isSame, isStill, type Stillness } from "../../domain/worker/Stillness.ts"
import type { WorkerId } from "../../domain/worker/Worker.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

/**
 * A whole look comes at least this often, in milliseconds: rows of dead workers, settings and bounds of goals change without a
 * commit. Nothing that runs or waits depends on it.
 */
const wholeEveryMs = 120_000

export interface StillWatch {
  /** To be called before a whole look. True: it would find nothing new, so it can be left out. */
  readonly holds: Effect.Effect<
    boolean,
    Effect.Effect.Error<ReturnType<WorkerRegistry["Type"]["stillness"]>>,
    WorkerRegistry
  >
  /** To be called after a whole look. `busy`: the worker looks after something that is not in the store. */
  readonly looked: (busy: boolean) => Effect.Effect<void>
  /** As of the last `holds`: when the next schedule fires; null where none does. */
  readonly nextFireAt: () => number | null
  /** Runs something that an idle worker needs rarely: always while it is busy, else about every two minutes. */
  readonly rarely: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<void, E, R>
}

/** `alone`: the worker leaves when there is nothing to do, or where an older one serves the queue. */
export const makeStillWatch = (worker: WorkerId, alone: boolean): StillWatch => {
  let seen: Stillness | null = null
  /** What the last whole look was about; null: look again. */
  let before: Stillness | null = null
  let lookedAt = 0
  let still = false
  return {
    holds: Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      const now = yield* registry.stillness(worker)
      seen = now
      const fires = now.nextFireAt !== null && now.nextFireAt <= (yield* Clock.currentTimeMillis)
      const recent = (yield* elapsedMs) - lookedAt < wholeEveryMs
      still = before !== null && recent && !fires && isStill(now, alone) && isSame(now, before, alone)
      return still
    }),
    looked: (busy) =>
      Effect.gen(function* () {
        lookedAt = yield* elapsedMs
        // As it was before the look: what was committed during it makes the next one whole as well.
        before = busy ? null : seen
      }),
    nextFireAt: () => seen?.nextFireAt ?? null,
    rarely: (work) => {
      let ranAt = Number.NEGATIVE_INFINITY
      return Effect.gen(function* () {
        const now = yield* elapsedMs
        if (still && now - ranAt < wholeEveryMs) return
        ranAt = now
        yield* work
      })
    }
  }
}
