/** A wall clock that a test sets, over a `TestClock` whose elapsed time stays as it is. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Sets the wall clock by so many milliseconds, back where they are negative. */
export type SetWall = (milliseconds: number) => Effect.Effect<void>

/** Runs a test under a wall clock of its own. Sleeps and `currentTimeNanos` follow the clock below, as on a real machine. */
export const withWall = <A, E, R>(test: (set: SetWall) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((below) => {
    let ahead = 0
    const now = () => below.unsafeCurrentTimeMillis() + ahead
    const wall: Clock.Clock = Object.create(below, {
      unsafeCurrentTimeMillis: { value: now },
      currentTimeMillis: { value: Effect.sync(now) }
    })
    const set: SetWall = (milliseconds) =>
      Effect.sync(() => {
        ahead += milliseconds
      })
    return Effect.withClock(test(set), wall)
  })
