/**
 * How often and how long each kind of failure is retried, by name. Functions, so that a bundle holds only those that it uses. What
 * a person sets (retries of tasks, attempts of deliveries) is decided in task/RetryPolicy.ts and hooks/Delivery.ts.
 */
import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import { upTo } from "./Elapsed.ts"

/** Ever further apart: each attempt may stand still for SQLite's own short wait, so the pauses are longer. */
const lockPauses = Schedule.exponential("5 millis", 1.7).pipe(
  Schedule.union(Schedule.spaced("400 millis")),
  Schedule.jittered
)

/**
 * A statement that meets a locked database: about 20 s of attempts. On a machine with many more busy processes than cores a
 * process makes few attempts in that time, so it has at least 40, for up to two minutes.
 */
export const whileLocked = lockPauses.pipe(
  upTo(20_000),
  Schedule.union(Schedule.intersect(lockPauses, Schedule.recurs(40))),
  upTo(120_000)
)

/** A command that waits for a store which stays locked after that: a minute more, so that a wait is not lost to a burst of writes. */
export const whileWaiting = () => Schedule.spaced("500 millis").pipe(Schedule.intersect(Schedule.recurs(120)))

/** A worker whose storage fails (a full disk, a lock): 100 ms, doubling to at most 5 s, with jitter, for as long as it takes. */
export const whileStorageFails = () =>
  Schedule.exponential("100 millis").pipe(
    Schedule.union(Schedule.spaced("5 seconds")),
    Schedule.jittered,
    Schedule.delayed((delay) => Duration.min(delay, "5 seconds"))
  )

/** A worker that registers: where many servers start at the same time each waits for its turn at the lock, for five minutes. */
export const whileRegistering = () => Schedule.spaced("1 second").pipe(Schedule.jittered, upTo(300_000))

/** A worker pool inside an MCP server that stopped with an error. */
export const whilePoolFails = () => Schedule.spaced("5 seconds")
