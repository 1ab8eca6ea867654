/** When a limit ends, from what agents say of it: a number, a time of day with a zone, or a length of time. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Seconds or milliseconds since 1970, whichever it is, as milliseconds; null when it is not such a time. */
export const instant = (value: unknown): number | null => {
  const number = typeof value === "string" && /^\d{9,14}$/.test(value) ? Number(value) : value
  if (typeof number === "string") {
    const parsed = Date.parse(number)
    return /^\d{4}-\d\d-\d\dT/.test(number) && Number.isFinite(parsed) ? parsed : null
  }
  if (typeof number !== "number" || !Number.isFinite(number) || number < 1e8) return null
  const millis = number < 1e11 ? number * 1000 : number
  return millis < 1e14 ? Math.round(millis) : null
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** The zone in the text, else that of the agent, whose local time it is, else that of this process. */
const zoneOf = (name: string | undefined, agents: string | null): DateTime.TimeZone =>
  [name === "GMT" ? "UTC" : name, agents]
    .map((one) => (one === undefined || one === null ? Option.none() : DateTime.zoneFromString(one)))
    .find(Option.isSome)?.value ?? DateTime.zoneMakeLocal()

const month = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?"
const clock = new RegExp(
  `(?:resets?|try again|available again|until|renews?)(?:\\s+(?:at|on|by))?\\s+(?:${month}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(?:(\\d{4}),?\\s+)?(?:at\\s+)?)?` +
    "(\\d{1,2})(?::(\\d{2}))?(?::\\d{2})?\\s*([ap])?\\.?m?\\.?(?:\\s*\\(?([A-Z][A-Za-z_]+(?:/[A-Za-z_+\\-0-9]+)*)\\)?)?",
  "i"
)
/** "on 2026-12-01 at 00:00 UTC" */
const dated = /\bon\s+(\d{4}-\d\d-\d\d)(?:\s+at)?\s+(\d\d:\d\d)(?::\d\d)?\s*(?:UTC|GMT|Z)\b/i
const length =
  /(?:reset|resets|try again|retry|retrying|available)(?: again)?\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s*(?:days?|d|hours?|hrs?|h|minutes?|mins?|ms|m|seconds?|secs?|s)(?:,|\s|and)*)+)/i
const unit = (name: string): number =>
  name === "ms" ? 1 : ({ d: day, h: hour, m: minute, s: 1000 }[name.charAt(0).toLowerCase()] ?? 0)

/** The pause that a text names, in milliseconds. */
export const lengthIn = (text: string): number | null => {
  const said = length.exec(text)?.[1]
  if (said === undefined) return null
  const total = Array.from(said.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)).reduce(
    (sum, [, count = "0", name = ""]) => (name === "and" ? sum : sum + Number(count) * unit(name)),
    0
  )
  return total > 0 && total < 400 * day ? Math.round(total) : null
}

/** The next midnight in Los Angeles: Google's daily quotas begin again then. */
export const nextPacificMidnight = (now: number): number => {
  const here = DateTime.unsafeMakeZoned(now, { timeZone: DateTime.zoneUnsafeMakeNamed("America/Los_Angeles") })
  return DateTime.add(DateTime.startOf(here, "day"), { days: 1 }).epochMillis
}

/**
 * The time that is meant: without a year the nearest one, and without a date the next one, unless it was over for less than three
 * hours. A refusal names a time that passes while its agent ends, and at midnight that is yesterday's. The other error is cheap: a time
 * from before the attempt counts as unknown, and it is asked again after 15 minutes, not after a day or a month.
 */
const atClock = (found: RegExpExecArray, now: number, agentsZone: string | null): number | null => {
  const [, monthName, dayOfMonth, year, hourText = "", minuteText, half, zoneName] = found
  // A bare number is not a time of day: "try again 3 times".
  if (minuteText === undefined && half === undefined) return null
  const said = Number(hourText)
  const hours = half === undefined ? said : (said % 12) + (half.toLowerCase() === "p" ? 12 : 0)
  const minutes = Number(minuteText ?? 0)
  if (hours > 23 || minutes > 59) return null
  const zone = zoneOf(zoneName, agentsZone)
  const here = DateTime.toParts(DateTime.unsafeMakeZoned(now, { timeZone: zone }))
  const parts = {
    year: year === undefined ? here.year : Number(year),
    month: monthName === undefined ? here.month : months.indexOf(monthName.toLowerCase().slice(0, 3)) + 1,
    day: dayOfMonth === undefined ? here.day : Number(dayOfMonth),
    hours,
    minutes,
    seconds: 0,
    millis: 0
  }
  const made = DateTime.makeZoned(parts, { timeZone: zone, adjustForTimeZone: true })
  if (Option.isNone(made)) return null
  // Agents cut the seconds off: the minute has to be over.
  const cut = minuteText === undefined ? 0 : minute
  if (year !== undefined) return made.value.epochMillis + cut
  const [step, past] = monthName === undefined ? (["days", 3 * hour] as const) : (["years", 183 * day] as const)
  const times = [-1, 0, 1].map((count) => DateTime.add(made.value, { [step]: count }).epochMillis + cut)
  return times.find((time) => time > now - past) ?? null
}

/**
 * Reads `resets 8:31am (Europe/Paris)`, `try again at Nov 24th, 2026 8:01 AM`, `try again in 2 hours 5 minutes`,
 * `regain access on 2026-12-01 at 00:00 UTC`. `zone`: of the process that printed a time without one. A time that is over is
 * given as it is.
 */
export const resetIn = (text: string, now: number, zone: string | null = null): number | null => {
  const piped = /limit reached\|(\d{9,13})/.exec(text)
  if (piped !== null) return instant(piped[1])
  const pause = lengthIn(text)
  if (pause !== null) return now + pause
  const onDate = dated.exec(text)
  if (onDate !== null) return instant(`${onDate[1]}T${onDate[2]}:00Z`)
  const found = clock.exec(text)
  return found === null ? null : atClock(found, now, zone)
}
