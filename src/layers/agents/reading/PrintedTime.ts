/**
 * A date, a time of day or both, in the words of an agent and any usual order: `Nov 24th, 2026 8:01 AM`, `tomorrow at 9am (UTC+2)`.
 * chrono-node, which reads what people type for schedules, reads most of these forms, but takes 8:31am (Europe/Paris) for UTC, knows no
 * 24:00, and cannot say whether a time that has just passed is meant. Its 64 kB are loaded asynchronously, and a verdict is a pure
 * function.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { zoneNamed } from "../../../domain/schedule/Zone.ts"

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

interface Clock {
  readonly hours: number
  readonly minutes: number
  /** Null: cut off. */
  readonly seconds: number | null
}

/** What was read so far. */
interface Said {
  readonly date?: { readonly year: number | null; readonly month: number; readonly day: number }
  /** From 0, which is Sunday. */
  readonly weekday?: number
  /** Days from today. */
  readonly ahead?: number
  readonly clock?: Clock
  readonly zone?: DateTime.TimeZone
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

const month =
  "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\b\\.?"
const year = "(?:,?\\s+(\\d{4})\\b(?!:))?"
// Built in calls, so that bundles that read no time have nothing of them.
const monthFirst = /* @__PURE__ */ (() => new RegExp(`^${month}\\s+(\\d{1,2})(?:st|nd|rd|th)?\\b(?!:)${year}`, "i"))()
const dayFirst = /* @__PURE__ */ (() => new RegExp(`^(\\d{1,2})(?:st|nd|rd|th)?\\s+${month}${year}`, "i"))()
const iso = /^(\d{4})-(\d\d)-(\d\d)(?:T(?=\d)|(?![\w-]))/i
const weekday = /^(sun|mon|tue|wed|thu|fri|sat)(?:day|s|sday|nesday|rs|rsday|urday)?\b/i
const dayName = /^(today|tonight|tomorrow)\b/i
const clock = /^(\d{1,2})(?::(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?(?:\s*([ap])\.?m\b\.?|([ap])\b)?(?![\d:])/i
const hourName = /^(midnight|noon)\b/i
const offset = /^(?:UTC|GMT)?\s?([+-])(\d{1,2})(?::?(\d\d))?(?![\d:])/
const american = /^(?:([PMCE])[SD]?T\b|(Pacific|Mountain|Central|Eastern)\b(?:\s+(?:Standard\s+|Daylight\s+)?Time\b)?)/
const zoneName = /^[A-Z][A-Za-z_]*(?:\/[A-Za-z_+\-0-9]+)*/

const cities: Readonly<Record<string, string>> = {
  P: "America/Los_Angeles",
  M: "America/Denver",
  C: "America/Chicago",
  E: "America/New_York"
}

const dateOf = (year: string | undefined, month: number, day: string | undefined): Said => ({
  date: { year: year === undefined ? null : Number(year), month, day: Number(day) }
})

const monthOf = (name = ""): number => months.indexOf(name.slice(0, 3).toLowerCase()) + 1

const clockOf = ([, hours, minutes, seconds, half, short]: ReadonlyArray<string | undefined>): Said | null => {
  const side = (half ?? short)?.toLowerCase()
  // A bare number is not a time of day: "try again 3 times".
  if (minutes === undefined && side === undefined) return null
  const said = Number(hours)
  return {
    clock: {
      hours: side === undefined || said > 12 ? said : (said % 12) + (side === "p" ? 12 : 0),
      minutes: Number(minutes ?? 0),
      seconds: minutes === undefined ? 0 : seconds === undefined ? null : Number(seconds)
    }
  }
}

const offsetOf = ([, sign, hours, minutes = "0"]: ReadonlyArray<string | undefined>): Said | null =>
  Number(hours) > 14 || Number(minutes) > 59
    ? null
    : { zone: DateTime.zoneMakeOffset((sign === "-" ? -1 : 1) * (Number(hours) * hour + Number(minutes) * minute)) }

const zoneOf = (name: string): Said | null => {
  const zone = zoneNamed(name === "Z" ? "UTC" : name)
  return Option.isNone(zone) ? null : { zone: zone.value }
}

/** In this order: what begins like another one comes before it. */
const readers: ReadonlyArray<readonly [RegExp, (found: ReadonlyArray<string | undefined>) => Said | null]> = [
  [iso, ([, year, month, day]) => dateOf(year, Number(month), day)],
  [monthFirst, ([, name, day, year]) => dateOf(year, monthOf(name), day)],
  [dayFirst, ([, day, name, year]) => dateOf(year, monthOf(name), day)],
  [weekday, ([, name = ""]) => ({ weekday: weekdays.indexOf(name.toLowerCase()) })],
  [dayName, ([, name = ""]) => ({ ahead: name.toLowerCase() === "tomorrow" ? 1 : 0 })],
  [hourName, ([, name = ""]) => ({ clock: { hours: name.toLowerCase() === "noon" ? 12 : 0, minutes: 0, seconds: 0 } })],
  [clock, clockOf],
  [offset, offsetOf],
  [american, ([, letter, name = ""]) => zoneOf(cities[letter ?? name.charAt(0)] ?? "")],
  [zoneName, ([name = ""]) => zoneOf(name)]
]

const between = /^(?:[\s,(:"'`*]|(?:again|at|on|by|the|is|time|date)\b)*/i

const read = (text: string): Said => {
  let said: Said = {}
  for (let rest = text.replace(between, ""); ; ) {
    let next: Said | null = null
    for (const [pattern, take] of readers) {
      const found = pattern.exec(rest)
      next = found === null ? null : take(found)
      if (found !== null && next !== null) {
        rest = rest.slice(found[0].length).replace(between, "")
        break
      }
    }
    // Each part once, and a zone only after what it belongs to.
    if (next === null || Object.keys(next).some((part) => part in said)) return said
    if (next.zone !== undefined && said.clock === undefined && said.date === undefined) return said
    said = { ...said, ...next }
  }
}

/** A time in a zone; the parts may overflow. Null where there is no such day or hour. */
const atZone = (zone: DateTime.TimeZone, [years, month, days]: readonly [number, number, number], at: Clock) => {
  const { hours, minutes, seconds } = at
  const local = Date.UTC(years, month - 1, days, hours, minutes, seconds ?? 0)
  // Agents cut the seconds off: the minute has to be over. A day begins at its second.
  const cut = seconds === null && (hours % 24) + minutes > 0 ? minute : 0
  return Option.match(DateTime.makeZoned(local, { timeZone: zone, adjustForTimeZone: true }), {
    onNone: () => null,
    onSome: ({ epochMillis }) => epochMillis + cut
  })
}

const exists = (year: number, month: number, days: number): boolean =>
  month >= 1 && month <= 12 && days >= 1 && days <= new Date(Date.UTC(year, month, 0)).getUTCDate()

const isClock = ({ hours, minutes, seconds }: Clock): boolean =>
  (hours < 24 || (hours === 24 && minutes === 0)) && minutes < 60 && (seconds ?? 0) < 60

const midnight: Clock = { hours: 0, minutes: 0, seconds: 0 }

/** The times that the text may mean, the earliest first, and how long ago one of them may be; null: however long. */
const meant = (
  { ahead, date, weekday }: Said,
  now: number,
  zone: DateTime.TimeZone
): readonly [days: ReadonlyArray<readonly [number, number, number]>, past: number | null] => {
  const here = DateTime.toParts(DateTime.unsafeMakeZoned(now, { timeZone: zone }))
  const from = (days: number) => [here.year, here.month, here.day + days] as const
  if (date !== undefined) {
    const years = date.year === null ? [-1, 0, 1].map((count) => here.year + count) : [date.year]
    const days = years.map((one) => [one, date.month, date.day] as const).filter((one) => exists(...one))
    return [days, date.year === null ? 183 * day : null]
  }
  if (ahead !== undefined) return [[from(ahead)], null]
  if (weekday === undefined) return [[-1, 0, 1].map(from), 3 * hour]
  const next = (weekday - here.weekDay + 7) % 7
  return [[next - 7, next, next + 7].map(from), 3 * hour]
}

/**
 * The time that `text` begins with, null where it begins with none. Without a zone it is one of `zone`. Without a year it is the
 * nearest one, and without a date the next one, unless it was over for less than three hours. A refusal names a time that passes
 * while its agent ends, and at midnight that is yesterday's. The other error is cheap: a time from before the attempt counts as
 * unknown, and it is asked again after 15 minutes, not after a day or a month.
 */
export const printedTime = (text: string, now: number, zone: DateTime.TimeZone): number | null => {
  const said = read(text)
  const at = said.clock ?? midnight
  const isDay = said.date !== undefined || said.weekday !== undefined || said.ahead !== undefined
  // "Try again today" is not midnight.
  if (!isClock(at) || (said.clock === undefined && (!isDay || said.ahead === 0))) return null
  const there = said.zone ?? zone
  const [days, past] = meant(said, now, there)
  const times = days.map((one) => atZone(there, one, at)).filter((time) => time !== null)
  return times.find((time) => past === null || time > now - past) ?? null
}
