/** Puts right what waits for a time after a clock that was set back: schedules, and messages to hooks. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import { Deliveries } from "../../services/Deliveries.ts"
import { Schedules } from "../../services/Schedules.ts"

/** A wall clock that falls behind by less than this between two looks was corrected, not set. Milliseconds. */
const correction = 500

/**
 * To be run at each look of a worker. The first time, and whenever the wall clock has gone back against the clock that
 * cannot be set, the next times of all schedules are held against their rules, and those of messages begin again.
 */
export const makeClockWatch = () => {
  let ahead = Number.POSITIVE_INFINITY
  return Effect.gen(function* () {
    const before = ahead
    const now = (yield* Clock.currentTimeMillis) - (yield* elapsedMs)
    if (now > before - correction) {
      ahead = now
      return
    }
    const schedules = yield* Schedules
    for (const id of yield* schedules.putRight) {
      yield* Effect.logWarning(`schedule ${id}: the clock was set back, so its next time was put right`)
    }
    yield* (yield* Deliveries).putRight
    ahead = now
  }).pipe(Effect.withSpan("watchClock"))
}

/** Returns when the wall clock has been set, in either direction, or the machine has slept; looks every `everyMs`. */
export const untilClockIsSet = (everyMs: number) =>
  Effect.gen(function* () {
    const ahead = Effect.zipWith(Clock.currentTimeMillis, elapsedMs, (wall, elapsed) => wall - elapsed)
    const before = yield* ahead
    yield* Effect.sleep(everyMs).pipe(
      Effect.zipRight(ahead),
      Effect.repeat({ until: (now) => Math.abs(now - before) > correction })
    )
  })
