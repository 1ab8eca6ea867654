/** Corrects the times that no rule would give and that remain after the clock was set. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { elapsedMs } from "../domain/Elapsed.ts"
import { agrees, correction, type SeenClock } from "../domain/worker/SeenClock.ts"
import { Deliveries } from "../services/Deliveries.ts"
import { Host } from "../services/Host.ts"
import { Processes } from "../services/Processes.ts"
import { PutRight } from "../services/PutRight.ts"
import { Schedules } from "../services/Schedules.ts"

/** A process that read the clock before it was set may commit a moment after: once this is over, all is looked at again. */
const againMs = 5000

const putRight = Effect.gen(function* () {
  const schedules = yield* Schedules
  for (const id of yield* schedules.putRight) {
    yield* Effect.logWarning(`schedule ${id}: the clock was set back, so its next time was put right`)
  }
  const { accounts, budgets, pauses } = yield* (yield* PutRight).all
  if (pauses > 0) yield* Effect.logWarning(`the clock was set back, so pauses begin again (${pauses})`)
  if (accounts > 0)
    yield* Effect.logWarning(`the clock was set back, so limits count as seen now (accounts: ${accounts})`)
  if (budgets > 0) yield* Effect.logInfo(`budgets count in the present period (${budgets})`)
  yield* (yield* Deliveries).putRight
})

/**
 * `look` is to be run at each look of a worker. The first time, and whenever the wall clock was set against the clock that cannot be
 * set, the times of schedules, the pauses of tasks, limits, budgets and the waits of messages to hooks are compared with their rules.
 * `isSteady`: as far as the looks tell, the clock was not set in the last seconds. Only then may a time on it end a task.
 */
export const makeClockWatch = () => {
  let ahead = Number.POSITIVE_INFINITY
  let again = Number.POSITIVE_INFINITY
  let steady = false
  const look = Effect.gen(function* () {
    const elapsed = yield* elapsedMs
    const now = (yield* Clock.currentTimeMillis) - elapsed
    const isSet = Math.abs(now - ahead) >= correction
    if (isSet || elapsed >= again) {
      const isFirst = ahead === Number.POSITIVE_INFINITY
      steady = false
      yield* putRight
      again = isSet ? elapsed + againMs : Number.POSITIVE_INFINITY
      steady = isFirst || !isSet
    }
    ahead = now
  }).pipe(Effect.withSpan("watchClock"))
  return { look, isSteady: () => steady }
}

const ahead = Effect.zipWith(Clock.currentTimeMillis, elapsedMs, (wall, elapsed) => wall - elapsed)

/** What is old is deleted only by a clock that was not set for this long. Milliseconds. */
const provenMs = 60_000

const clockNow = Effect.gen(function* () {
  const bootId = yield* (yield* Processes).bootId
  const sinceBoot = Math.round(yield* (yield* Host).sinceBootMs)
  return { bootId, sinceBoot, wallAt: yield* Clock.currentTimeMillis } satisfies SeenClock
})

/** Whether the clock was not set for `least` milliseconds by what an earlier process has written down. Else this one writes it down. */
const isProven = Effect.fn("provenTime.isProven")(function* (now: SeenClock, least: number) {
  const clocks = yield* PutRight
  const seen = yield* clocks.seen(now.bootId)
  const isSame = Option.exists(seen, (before) => agrees(before, now))
  if (!isSame) yield* clocks.see(now)
  return isSame && Option.exists(seen, ({ sinceBoot }) => now.sinceBoot - sinceBoot >= least)
})

/**
 * The time for deleting what is older than `ageMs`: it waits until it is known that the clock was not set for a minute, or for `ageMs`
 * where that is shorter, so a clock that is ahead for less deletes nothing. Workers that live for seconds prove it together: the first
 * of a boot writes the clock down. A clock that was wrong before that, and stays wrong, cannot be told from a right one.
 */
export const provenTime = Effect.fn("provenTime")(function* (ageMs: number) {
  const least = Math.min(provenMs, ageMs)
  while (true) {
    const before = yield* ahead
    const seen = yield* clockNow
    const proven = yield* isProven(seen, least).pipe(
      Effect.catchAll((error) => Effect.as(Effect.logDebug(error.message), false))
    )
    if (proven) return seen.wallAt
    yield* Effect.sleep(least)
    const elapsed = yield* elapsedMs
    const now = yield* Clock.currentTimeMillis
    if (Math.abs(now - elapsed - before) < correction) return now
  }
})

/** Returns when the wall clock has been set, in either direction, or the machine has slept; looks every `everyMs`. */
export const untilClockIsSet = (everyMs: number) =>
  Effect.gen(function* () {
    const before = yield* ahead
    yield* Effect.sleep(everyMs).pipe(
      Effect.zipRight(ahead),
      Effect.repeat({ until: (now) => Math.abs(now - before) > correction })
    )
  })
