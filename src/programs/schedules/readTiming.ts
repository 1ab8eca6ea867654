/** Reads when a schedule fires, as people and models write it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseDuration } from "../../domain/Duration.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { parseCron } from "../../domain/schedule/CronTime.ts"
import { timingProblem } from "../../domain/schedule/Firing.ts"
import { shortestEveryMs, type Timing } from "../../domain/schedule/Schedule.ts"
import type { Zone } from "../../domain/schedule/Zone.ts"
import { readMoment } from "./readMoment.ts"
import { readZone } from "./readZone.ts"

/** One of the first three; null is "not given". */
export interface WrittenTiming {
  readonly cron: string | null
  readonly every: string | null
  readonly at: string | null
  /** IANA name; null is the system's. */
  readonly timezone: string | null
}

const invalid = (field: string, problem: string, example: string | null = null) =>
  new InvalidInput({ field, problem, example })

const length = /^(?:every\s+)?(\d+(?:\.\d+)?)?\s*(second|minute|hour|day|week)s?$/i

/** `day`, `every day`, `2 hours` as a length of time; everything else as it is. */
const inUnits = (text: string): string => {
  const [, amount = "1", unit] = length.exec(text.trim()) ?? []
  return unit === undefined ? text : `${amount}${unit.slice(0, 1).toLowerCase()}`
}

/** `daily` is `@daily`. */
const withSign = (text: string): string =>
  /^(yearly|annually|monthly|weekly|daily|hourly)$/i.test(text) ? `@${text.toLowerCase()}` : text

/** A time of a schedule; one that cannot be read is an error of that field. */
export const readTime = Effect.fn("readTime")(function* (field: string, text: string, zone: Zone) {
  const now = yield* Clock.currentTimeMillis
  const reading = { direction: "future", now, zone } as const
  return yield* Effect.mapError(readMoment(text, reading), (problem) => invalid(field, problem))
})

/** A schedule that could never fire is refused. */
export const readTiming = Effect.fn("readTiming")(function* (written: WrittenTiming) {
  const { at, cron, every } = written
  const given = [cron, every, at].filter((one) => one !== null)
  if (given.length !== 1) {
    const problem = given.length === 0 ? "say when it runs: --cron, --every or --at" : "only one of cron, every and at"
    return yield* invalid("schedule", problem, "--cron '0 9 * * 1-5', --every 15m or --at 'tomorrow 9am'")
  }
  const { timezone, zone } = yield* readZone(written.timezone)
  const now = yield* Clock.currentTimeMillis
  if (at !== null) {
    const moment = yield* readTime("at", at, zone)
    // "now" is over once it is read.
    if (moment <= (yield* Clock.currentTimeMillis)) return yield* invalid("at", `'${at}' is in the past`)
    return { kind: "at", at: moment, timezone } satisfies Timing
  }
  if (every !== null) {
    const everyMs = yield* Either.mapLeft(parseDuration(inUnits(every)), (problem) => invalid("every", problem))
    if (everyMs < shortestEveryMs) return yield* invalid("every", `'${every}' is shorter than a second`)
    return { kind: "every", everyMs, anchor: now, timezone } satisfies Timing
  }
  const timing: Timing = { kind: "cron", expression: withSign((cron ?? "").trim()), timezone }
  const problem = timingProblem(timing)
  return problem === null ? timing : yield* invalid("cron", problem, "'0 9 * * 1-5'")
})

/** All three in one text: a cron expression or `daily`, `every 15m` or `every day`, or a time. */
export const writtenTiming = (when: string, timezone: string | null): WrittenTiming => {
  const text = when.trim()
  const none = { cron: null, every: null, at: null, timezone }
  const every = length.test(text) && /^every\s/i.test(text) ? inUnits(text) : /^every\s+(\d.*)$/i.exec(text)?.[1]
  if (every !== undefined) return { ...none, every }
  if (withSign(text) !== text) return { ...none, cron: text }
  const fields = text.split(/\s+/)
  // Report a wrong cron expression as such: no time begins with a field and a star.
  const looksLikeCron =
    text.startsWith("@") || ((fields.length === 5 || fields.length === 6) && /^[\d*,/-]+$/.test(fields[0] ?? ""))
  return Either.isRight(parseCron(text)) || looksLikeCron ? { ...none, cron: text } : { ...none, at: text }
}
