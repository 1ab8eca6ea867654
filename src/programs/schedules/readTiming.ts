/** Reads when a schedule fires, as people and models write it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { parseDuration } from "../../domain/Duration.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { parseCron } from "../../domain/schedule/CronTime.ts"
import { timingProblem } from "../../domain/schedule/Firing.ts"
import { looksLikeDate, parseDate } from "../../domain/schedule/Moment.ts"
import { shortestEveryMs, type Timing } from "../../domain/schedule/Schedule.ts"
import { type Zone, zoneOf } from "../../domain/schedule/Zone.ts"
import { LocalZone } from "../../services/LocalZone.ts"
import { naturalTime } from "./naturalTime.ts"

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

/** `01.02.2027`, `1/2/2027`, `1-2-27`: which of them is the month depends on the country. */
const ambiguous = /^\s*\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})\b/

/** `2026-12-01T09:00` in the zone, with its own zone, `2h` from now, or as people say it. */
export const readMoment = Effect.fn("readMoment")(function* (field: string, text: string, zone: Zone) {
  const now = yield* Clock.currentTimeMillis
  const written = text.trim()
  const span = parseDuration(written)
  if (Either.isRight(span)) return now + span.right
  if (looksLikeDate(written)) {
    return yield* Either.mapLeft(parseDate(written, zone), (problem) => invalid(field, problem, "2026-12-01T09:00"))
  }
  if (ambiguous.test(written)) {
    return yield* invalid(field, `'${text}' can mean two days: write the year first`, "2027-02-01 or 2027-01-02")
  }
  const natural = yield* naturalTime(written, zone, now)
  if (natural !== null) return natural
  return yield* invalid(field, `'${text}' is not a time`, "2026-12-01T09:00, 2h or 'tomorrow 9am'")
})

export const readZone = Effect.fn("readZone")(function* (name: string | null) {
  const timezone = name ?? (yield* (yield* LocalZone).timezone)
  const zone = zoneOf(timezone)
  if (Option.isNone(zone)) {
    return yield* invalid("timezone", `'${timezone}' is not a time zone`, "Europe/Berlin or UTC")
  }
  return { timezone, zone: zone.value }
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
    const moment = yield* readMoment("at", at, zone)
    if (moment <= now) return yield* invalid("at", `'${at}' is in the past`)
    return { kind: "at", at: moment, timezone } satisfies Timing
  }
  if (every !== null) {
    const everyMs = yield* Either.mapLeft(parseDuration(every), (problem) => invalid("every", problem))
    if (everyMs < shortestEveryMs) return yield* invalid("every", `'${every}' is shorter than a second`)
    return { kind: "every", everyMs, anchor: now, timezone } satisfies Timing
  }
  const timing: Timing = { kind: "cron", expression: (cron ?? "").trim(), timezone }
  const problem = timingProblem(timing)
  return problem === null ? timing : yield* invalid("cron", problem, "'0 9 * * 1-5'")
})

/** All three in one text: a cron expression, `every 15m`, or a time. */
export const writtenTiming = (when: string, timezone: string | null): WrittenTiming => {
  const text = when.trim()
  const none = { cron: null, every: null, at: null, timezone }
  const every = /^every\s+(\d.*)$/i.exec(text)?.[1]
  if (every !== undefined) return { ...none, every }
  const fields = text.split(/\s+/)
  // Report a wrong cron expression as such: no time begins with a field and a star.
  const looksLikeCron =
    text.startsWith("@") || ((fields.length === 5 || fields.length === 6) && /^[\d*,/-]+$/.test(fields[0] ?? ""))
  return Either.isRight(parseCron(text)) || looksLikeCron ? { ...none, cron: text } : { ...none, at: text }
}
