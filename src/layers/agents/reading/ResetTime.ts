/** When a limit ends, from what agents say of it: a number, a time of day with a zone, or a length of time. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

const minute = 60_000
const day = 24 * 60 * minute

/** Seconds or milliseconds since 1970, whichever it is, as milliseconds; null when it is no such time. */
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

const zoneOf = (name: string | undefined): DateTime.TimeZone =>
  name === undefined
    ? DateTime.zoneMakeLocal()
    : Option.getOrElse(DateTime.zoneFromString(name === "GMT" ? "UTC" : name), () => DateTime.zoneMakeLocal())

const month = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?"
const clock = new RegExp(
  `(?:resets?|try again|available again|until|renews?)(?:\\s+(?:at|on|by))?\\s+(?:${month}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(?:(\\d{4}),?\\s+)?(?:at\\s+)?)?` +
    "(\\d{1,2})(?::(\\d{2}))?(?::\\d{2})?\\s*([ap])?\\.?m?\\.?(?:\\s*\\(?([A-Z][A-Za-z_]+(?:/[A-Za-z_+\\-0-9]+)*)\\)?)?",
  "i"
)
const length =
  /(?:reset|resets|try again|retry|retrying|available)(?: again)?\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s*(?:days?|d|hours?|hrs?|h|minutes?|mins?|ms|m|seconds?|secs?|s)(?:,|\s|and)*)+)/i
const unit = (name: string): number =>
  name === "ms" ? 1 : ({ d: day, h: 60 * minute, m: minute, s: 1000 }[name.charAt(0).toLowerCase()] ?? 0)

const afterLength = (said: string, now: number): number | null => {
  const total = Array.from(said.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)).reduce(
    (sum, [, count = "0", name = ""]) => (name === "and" ? sum : sum + Number(count) * unit(name)),
    0
  )
  return total > 0 && total < 400 * day ? now + Math.round(total) : null
}

const atClock = (found: RegExpExecArray, now: number): number | null => {
  const [, monthName, dayOfMonth, year, hourText = "", minuteText, half, zoneName] = found
  // A bare number is not a time of day: "try again 3 times".
  if (minuteText === undefined && half === undefined) return null
  const said = Number(hourText)
  const hours = half === undefined ? said : (said % 12) + (half.toLowerCase() === "p" ? 12 : 0)
  const minutes = Number(minuteText ?? 0)
  if (hours > 23 || minutes > 59) return null
  const zone = zoneOf(zoneName)
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
  // Times are said to the minute: one that is just over is meant, an older one is tomorrow's (or next year's).
  if (made.value.epochMillis > now - 2 * minute) return made.value.epochMillis
  if (year !== undefined) return null
  const step = monthName === undefined ? { days: 1 } : { years: 1 }
  return DateTime.add(made.value, step).epochMillis
}

/** Reads `resets 8:31am (Europe/Paris)`, `try again at Nov 24th, 2026 8:01 AM`, `try again in 2 hours 5 minutes`. */
export const resetIn = (text: string, now: number): number | null => {
  const piped = /limit reached\|(\d{9,13})/.exec(text)
  if (piped !== null) return instant(piped[1])
  const passed = length.exec(text)
  if (passed?.[1] !== undefined) return afterLength(passed[1], now)
  const found = clock.exec(text)
  return found === null ? null : atClock(found, now)
}
