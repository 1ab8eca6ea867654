/** Time that has passed inside one process, on a clock that cannot be set: for every wait, bound and age that no other process reads. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Decision from "effect/ScheduleDecision"
import * as Interval from "effect/ScheduleInterval"

/** Milliseconds since a moment that stays the same for the life of the process. Only differences mean something. */
export const elapsedMs: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)

/**
 * `Schedule.upTo`, which reads the clock on the wall, on the clock that cannot be set. In milliseconds. Pauses become whole
 * milliseconds, as timers have them: `TestClock` cannot tell the nanoseconds of others.
 */
export const upTo = (boundMs: number) => {
  const within = Schedule.makeWithState<number | null, unknown, number>(null, (now, _input, began) =>
    Effect.map(elapsedMs, (elapsed) => {
      const since = began ?? elapsed
      const passed = elapsed - since
      const decision = passed < boundMs ? Decision.continueWith(Interval.after(now)) : Decision.done
      return [since, passed, decision]
    })
  )
  return <Out, In, R>(schedule: Schedule.Schedule<Out, In, R>): Schedule.Schedule<Out, In, R> =>
    Schedule.zipLeft(
      Schedule.delayed(schedule, (pause) => Duration.millis(Math.round(Duration.toMillis(pause)))),
      within
    )
}
