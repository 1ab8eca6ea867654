/** A launcher that starts nothing and counts how often it was asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { WorkerUnavailable } from "../../../domain/Errors.ts"
import { WorkerLauncher } from "../../../services/WorkerLauncher.ts"

export class Launches extends Context.Tag("backbeat/memory/Launches")<
  Launches,
  {
    /** How many workers were launched. */
    readonly count: Effect.Effect<number>
    /** Lets the next launch fail. */
    readonly failNext: (error: WorkerUnavailable) => Effect.Effect<void>
  }
>() {}

export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const launched = yield* Ref.make(0)
    const failure = yield* Ref.make<WorkerUnavailable | null>(null)
    const launch = Effect.gen(function* () {
      const error = yield* Ref.getAndSet(failure, null)
      if (error !== null) return yield* error
      yield* Ref.update(launched, (count) => count + 1)
    })
    return Context.make(WorkerLauncher, WorkerLauncher.of({ launch })).pipe(
      Context.add(Launches, Launches.of({ count: Ref.get(launched), failNext: (error) => Ref.set(failure, error) }))
    )
  })
)
