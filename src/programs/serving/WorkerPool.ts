/** The worker pool as a layer. Releasing it leaves agents running and their rows in place, and hands the queue over. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { WorkerId } from "../../domain/worker/Worker.ts"
import { Ids } from "../../services/Ids.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { workOn } from "../worker/Pool.ts"
import { handOver } from "./handOver.ts"
import { openPool, type PoolOptions } from "./openPool.ts"

export interface WorkerPoolOptions extends PoolOptions {
  /** The bound of handing over when the layer is released. Null: no other worker is launched then. */
  readonly handOverWithin: Duration.DurationInput | null
}

/** A worker that is told to go, and has not left on its own, launches another one if there is work. */
const handOverIfWorking = (id: WorkerId, ended: Ref.Ref<boolean>, within: Duration.DurationInput) =>
  Effect.gen(function* () {
    if (yield* Ref.get(ended)) return
    const launched = yield* handOver(id)
    yield* Effect.logInfo(
      launched
        ? "interrupted: agents continue, and a worker in the background takes over the queue"
        : "interrupted: no task is left here, or another worker serves the queue"
    )
  }).pipe(
    Effect.interruptible,
    Effect.timeout(within),
    Effect.catchAllCause((cause) =>
      Effect.logWarning("interrupted: no other worker could be started; start one: beat worker --detach", cause)
    )
  )

export const layer = (options: WorkerPoolOptions) =>
  Layer.scoped(
    WorkerPool,
    Effect.gen(function* () {
      const id = yield* (yield* Ids).worker
      const ended = yield* Ref.make(false)
      const { handOverWithin } = options
      // Before the pool is opened: it runs after the worker is off the list.
      if (handOverWithin !== null) yield* Effect.addFinalizer(() => handOverIfWorking(id, ended, handOverWithin))
      const pool = yield* openPool(id, options)
      const work = yield* workOn(pool).pipe(
        Effect.onExit((exit) => (Exit.isInterrupted(exit) ? Effect.void : Ref.set(ended, true))),
        Effect.forkScoped
      )
      return WorkerPool.of({ id, left: Fiber.join(work) })
    })
  )
