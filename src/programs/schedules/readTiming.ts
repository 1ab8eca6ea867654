/** Reads when a schedule fires, as people and models write it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { parseDuration } from "../../domain/Duration.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { parseCron } from "../../domain/schedule/CronTime.ts"
import { timingProblem } from "../../domain/schedule/Firing.ts"
import { shortestEveryMs, type Timing } from "../../domain/schedule/Schedule.ts"
import { fromLocal, systemZone, type Zone, zoneOf } from "../../domain/schedule/Zone.ts"
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

const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$/

/** A local time by its parts; null where there is no such day or hour. */
const localTime = (text: string, zone: Zone): number | null => {
  const match = iso.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  const local = Date.UTC(year, month - 1, day, hours, minutes, seconds)
  const found = new Date(local)
  if (found.getUTCMonth() !== month - 1 || found.getUTCDate() !== day || hours > 23 || minutes > 59 || seconds > 59)
    return null
  return fromLocal(zone, local)
}

/** `2026-12-01T09:00` in the zone, with a zone of its own, `2h` from now, or as people say it. */
export const readMoment = Effect.fn("readMoment")(function* (field: string, text: string, zone: Zone) {
  const now = yield* Clock.currentTimeMillis
  const written = text.trim()
  const span = parseDuration(written)
  if (Either.isRight(span)) return now + span.right
  const local = localTime(written, zone)
  if (local !== null) return local
  if (/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/i.test(written)) {
    const at = Date.parse(written)
    if (!Number.isNaN(at)) return at
  }
  const natural = iso.test(written) ? null : yield* naturalTime(written, zone, now)
  if (natural !== null) return natural
  return yield* invalid(field, `'${text}' is not a time`, "2026-12-01T09:00, 2h or 'tomorrow 9am'")
})

export const readZone = Effect.fn("readZone")(function* (name: string | null) {
  const timezone = name ?? systemZone()
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
    if (moment <= now) return yield* invalid("at", `'${at}' has passed already`)
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
  // A cron expression that is wrong is told as one: no time begins with a field and a star.
  const looksLikeCron =
    text.startsWith("@") || ((fields.length === 5 || fields.length === 6) && /^[\d*,/-]+$/.test(fields[0] ?? ""))
  return Either.isRight(parseCron(text)) || looksLikeCron ? { ...none, cron: text } : { ...none, at: text }
}
