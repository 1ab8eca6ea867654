/** When a schedule fires next, and what is to be done about a time that has come: pure, so that every store decides alike. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { nextCron, parseCron } from "./CronTime.ts"
import type { Execution, OverlapPolicy, Rules, Timing } from "./Schedule.ts"
import type { ScheduleId } from "./ScheduleId.ts"
import { zoneOf } from "./Zone.ts"

type Next = (after: number) => number | null

const zoneProblem = ({ timezone }: Timing): string =>
  `'${timezone}' is not a time zone: write a name like Europe/Berlin, or UTC`

const nextOf = (timing: Timing): Either.Either<Next, string> => {
  switch (timing.kind) {
    case "at":
      return Either.right((after) => (timing.at > after ? timing.at : null))
    case "every": {
      const { anchor, everyMs } = timing
      return Either.right((after) => anchor + (Math.floor((after - anchor) / everyMs) + 1) * everyMs)
    }
    case "cron":
      return Either.flatMap(parseCron(timing.expression), (cron) => {
        const zone = zoneOf(timing.timezone)
        return Option.isNone(zone)
          ? Either.left(zoneProblem(timing))
          : Either.right((after) => nextCron(cron, zone.value, after))
      })
  }
}

/** What is wrong with a rule; null when nothing is. */
export const timingProblem = (timing: Timing): string | null => {
  if (Option.isNone(zoneOf(timing.timezone))) {
    return zoneProblem(timing)
  }
  return Either.match(nextOf(timing), { onLeft: (problem) => problem, onRight: () => null })
}

/** Whether this moment is one of its times. */
export const isTimeOf = (timing: Timing, at: number): boolean =>
  Either.match(nextOf(timing), { onLeft: () => false, onRight: (next) => next(at - 1) === at })

/** Spreads the characters evenly over 0 to 1. */
const fraction = (text: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

type Jittered = Pick<Rules, "jitterMs"> & { readonly id: ScheduleId }

/** When a time fires: later by less than the jitter, and always the same for the same schedule and time. */
export const fireTime = ({ id, jitterMs }: Jittered, dueAt: number): number =>
  dueAt + Math.floor(fraction(`${id} ${dueAt}`) * jitterMs)

/** A schedule's times are used up (`completed`), or its last day has passed (`expired`). */
interface Upcoming {
  readonly status: "active" | "completed" | "expired"
  readonly nextDueAt: number | null
  readonly nextFireAt: number | null
}

type Plan = Rules & { readonly id: ScheduleId; readonly runs: number }

const ended = (status: "completed" | "expired"): Upcoming => ({ status, nextDueAt: null, nextFireAt: null })

const upcoming = (plan: Plan, next: Next, after: number): Upcoming => {
  if (plan.maxRuns !== null && plan.runs >= plan.maxRuns) return ended("completed")
  const dueAt = next(after)
  if (dueAt === null) return ended("completed")
  if (plan.expiresAt !== null && dueAt > plan.expiresAt) return ended("expired")
  return { status: "active", nextDueAt: dueAt, nextFireAt: fireTime(plan, dueAt) }
}

/** The first time after `after`, or the problem of a rule that can no longer be read. */
export const upcomingAfter = (plan: Plan, after: number): Either.Either<Upcoming, string> =>
  Either.map(nextOf(plan.timing), (next) => upcoming(plan, next, after))

/** The first time by a new rule, or why there is none: a rule that would never fire is not taken. */
export const firstAfter = (plan: Plan, after: number): Either.Either<Upcoming, string> =>
  Either.flatMap(upcomingAfter(plan, after), (found) => {
    // The rule is not to blame for runs that are used up.
    if (found.status === "active" || (plan.maxRuns !== null && plan.runs >= plan.maxRuns)) return Either.right(found)
    return Either.left(
      found.status === "expired" ? "it expires before its first time" : "there is no such time, now or ever"
    )
  })

/** Why a schedule has a `missed` row although it missed nothing. */
export const clockSetBack = "the clock was set back"

/**
 * Where a schedule belongs whose next time lies further away than its rule allows; null where all is well. A time only ever
 * moves on, so the clock was ahead when it was set.
 */
export const strayed = (
  plan: Plan & { readonly nextDueAt: number | null },
  now: number
): (Upcoming & { readonly nextDueAt: number }) | null => {
  if (plan.nextDueAt === null) return null
  const found = Either.getOrNull(upcomingAfter(plan, now))
  if (found === null || found.nextDueAt === null || found.nextDueAt >= plan.nextDueAt) return null
  return { ...found, nextDueAt: found.nextDueAt }
}

/**
 * Where a schedule belongs that has expired although it has a time before its expiry; null where all is well. The clock was ahead
 * when it expired.
 */
export const unexpired = (plan: Plan, now: number): (Upcoming & { readonly nextDueAt: number }) | null => {
  const found = Either.getOrNull(upcomingAfter(plan, now))
  if (found === null || found.nextDueAt === null) return null
  return { ...found, nextDueAt: found.nextDueAt }
}

/** The next fire times, at most `count`. */
export const fireTimes = (plan: Plan, after: number, count: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  let runs = plan.runs
  let at = after
  while (found.length < count) {
    const step = Either.getOrNull(upcomingAfter({ ...plan, runs }, at))
    if (step === null || step.nextDueAt === null || step.nextFireAt === null) break
    found.push(step.nextFireAt)
    at = step.nextDueAt
    runs += 1
  }
  return found
}

/** Missed times are counted up to here: many schedules may have to be counted in one transaction. */
const countedMissed = 200

/** The newest times that `run-all` makes up for; older ones are missed. */
export const mostMadeUp = 100

/** The times from `first` to `bound`: the last of them, and how many there are, counted up to a bound. */
const run = (next: Next, first: number, bound: number) => {
  let count = 1
  let last = first
  for (let at = next(first); at !== null && at <= bound; at = next(at)) {
    last = at
    count += 1
    if (count >= countedMissed) return { count, last: lastBefore(next, last, bound) }
  }
  return { count, last }
}

/**
 * The last time up to `bound`, where `known` is one. By halves, first from the end: between two looks there may be a month
 * with a time each second, and this runs while the database is locked.
 */
const lastBefore = (next: Next, known: number, bound: number): number => {
  const followed = (after: number) => (next(after) ?? Number.POSITIVE_INFINITY) <= bound
  if (!followed(known)) return known
  let span = 1000
  while (bound - span > known && !followed(bound - span)) span *= 2
  let low = Math.max(known, bound - span)
  let high = bound
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (followed(middle)) low = middle
    else high = middle
  }
  return high
}

export type Recorded = Pick<Execution, "dueAt" | "status" | "reason" | "untilAt" | "count">

interface Decision {
  /** Times that start nothing, to be recorded. */
  readonly recorded: ReadonlyArray<Recorded>
  /** The time that starts a run. */
  readonly run: number | null
  readonly upcoming: Upcoming
}

/** Why times start nothing that are later than their grace, and that are not. */
const unseen = { late: "no worker was running", passed: "no worker looked before the next time came" } as const

const missed = (
  first: number,
  { count, last }: { readonly count: number; readonly last: number },
  why: string = unseen.late
): Recorded => ({
  dueAt: first,
  status: "missed",
  reason: count === 1 ? why : `${why}; ${count >= countedMissed ? `${countedMissed} times or more` : `${count} times`}`,
  untilAt: last,
  count
})

const skipped = (dueAt: number, reason: string): Recorded => ({
  dueAt,
  status: "skipped",
  reason,
  untilAt: null,
  count: 1
})

/** What a time that has come would be held up by. */
export interface Circumstances {
  readonly now: number
  /** Runs of this schedule that have not ended. */
  readonly open: number
  /** Why this run may not start whatever its own rules say: the run it follows has failed. */
  readonly refused: string | null
}

/** Runs of one schedule that may wait for each other. */
const mostQueued = 100

/**
 * The runs that the next one waits for, newest first, of those that have not ended. With `queue` the next run waits for the newest
 * run that was not started by hand; with `cancel-previous` it waits until none of the cancelled runs is left.
 */
export const standingBefore = (overlap: OverlapPolicy, open: ReadonlyArray<Execution>): ReadonlyArray<Execution> => {
  if (overlap === "cancel-previous") return open
  if (overlap !== "queue") return []
  const newest = open.find(({ origin }) => origin === "time")
  return open.filter((one) => one === newest || one.origin === "manual")
}

/** Why a run is skipped that would make a longer chain of waiting tasks than is allowed. */
export const rowTooLong = "too many tasks were waiting for one another already"

/** Decides about `dueAt`, whose fire time has come, and about the times missed together with it. */
export const decide = (
  plan: Plan & { readonly dueAt: number; readonly fireAt: number },
  { now, open, refused }: Circumstances
): Either.Either<Decision, string> =>
  Either.map(nextOf(plan.timing), (next) => {
    const started = (dueAt: number, before: ReadonlyArray<Recorded>): Decision => {
      const obstacle =
        refused ??
        (open > 0 && plan.overlap === "skip" ? "the previous run was still running" : null) ??
        (open >= mostQueued && plan.overlap !== "allow" ? `${open} runs were waiting already` : null)
      if (obstacle !== null) {
        return { recorded: [...before, skipped(dueAt, obstacle)], run: null, upcoming: upcoming(plan, next, dueAt) }
      }
      return { recorded: before, run: dueAt, upcoming: upcoming({ ...plan, runs: plan.runs + 1 }, next, dueAt) }
    }

    const expiry = plan.expiresAt ?? Number.POSITIVE_INFINITY
    // A time may have waited for the jitter of the one before it, or for the schedule that it follows.
    const waited = Math.max(plan.fireAt - plan.dueAt, plan.jitterMs)
    const isLate = (dueAt: number) => now - dueAt - waited > plan.graceMs
    // Of several times that have passed before a worker looked only the last can be on time.
    const last = lastBefore(next, plan.dueAt, Math.max(plan.dueAt, Math.min(now - waited, expiry)))
    if (last === plan.dueAt && !isLate(last)) return started(last, [])
    const passed = () =>
      missed(plan.dueAt, run(next, plan.dueAt, last - 1), isLate(plan.dueAt) ? unseen.late : unseen.passed)
    switch (plan.missed) {
      case "skip": {
        if (!isLate(last)) return started(last, [passed()])
        const all = run(next, plan.dueAt, last)
        return { recorded: [missed(plan.dueAt, all)], run: null, upcoming: upcoming(plan, next, all.last) }
      }
      case "run-once":
        return started(last, last === plan.dueAt ? [] : [passed()])
      case "run-all": {
        const bound = Math.min(now, expiry)
        const all = run(next, plan.dueAt, bound)
        if (all.count <= mostMadeUp) return started(plan.dueAt, [])
        const kept = newest(next, plan.dueAt, all.last)
        const before = run(next, plan.dueAt, kept - 1)
        return started(kept, [missed(plan.dueAt, before)])
      }
    }
  })

/** The oldest of the newest times up to `last` that are made up for. */
const newest = (next: Next, first: number, last: number): number => {
  let found = last
  for (let step = 1; step < mostMadeUp && found > first; step += 1) found = lastBefore(next, first, found - 1)
  return found
}
