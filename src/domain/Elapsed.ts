/** Time that has passed inside one process, on a clock that cannot be set: for every wait, bound and age that no other process reads. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Milliseconds since a moment that stays the same for the life of the process. Only differences mean something. */
export const elapsedMs: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)
