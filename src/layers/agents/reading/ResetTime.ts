/** When a limit ends, from what agents say of it: a number, a time of day with a zone, or a length of time. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { systemZoneOf } from "../../../domain/schedule/SystemZone.ts"
import { type Zone, zoneOf } from "../../../domain/schedule/Zone.ts"
import { day, hour, minute, printedTime } from "./PrintedTime.ts"

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

/** What comes before the time at which a limit ends. The last one: "on 2026-12-01 at 00:00 UTC". */
const cue = /\b(?:resets?|try again|available|until|renews?|retry|refresh(?:es)?|lifted|on(?=\s+\d{4}-\d\d-\d\d))\b/gi
/** A length of time after such a word, and one part of it. Built in a call as the dates are. */
const lengths = /* @__PURE__ */ (() => {
  const count = "(?:\\d+(?:\\.\\d+)?\\s*|\\ban?\\s+)"
  const unit = "(?:months?|weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|ms|m|seconds?|secs?|s)(?![a-z])"
  return {
    all: new RegExp(
      "\\b(?:resets?|try again|retry|retrying|available|renews?)(?: again)?\\s+(?:in|after)\\s+" +
        "(?:(?:about|around|approximately|roughly|another|the next|less than|up to|~)\\s*)*" +
        `((?:${count}${unit}(?:,|\\s|and\\b)*)+)`,
      "i"
    ),
    part: new RegExp(`(${count})(${unit})`, "gi")
  }
})()

const unitMs = (name: string): number =>
  name === "ms"
    ? 1
    : name.startsWith("mo")
      ? 30 * day
      : ({ w: 7 * day, d: day, h: hour, m: minute, s: 1000 }[name.charAt(0)] ?? 0)

/** The pause that a text names, in milliseconds. */
export const lengthIn = (text: string): number | null => {
  const said = lengths.all.exec(text)?.[1]
  if (said === undefined) return null
  const total = Array.from(said.matchAll(lengths.part)).reduce(
    // "an hour" is one.
    (sum, [, count = "", name = ""]) => sum + (/\d/.test(count) ? Number(count) : 1) * unitMs(name.toLowerCase()),
    0
  )
  return total > 0 && total < 400 * day ? Math.round(total) : null
}

/** The next midnight in Los Angeles: Google's daily quotas begin again then. */
export const nextPacificMidnight = (now: number): number => {
  const here = DateTime.unsafeMakeZoned(now, { timeZone: DateTime.zoneUnsafeMakeNamed("America/Los_Angeles") })
  return DateTime.add(DateTime.startOf(here, "day"), { days: 1 }).epochMillis
}

const none = () => undefined

/** The zone of a process with this `TZ`, which may be an offset (`JST-9`) or a path; that of this one where it cannot be told. */
const zoneOfVariable = (variable: string | null): Zone => {
  const found = variable === null ? null : Either.getOrNull(systemZoneOf(variable, none, () => null))
  return Option.getOrElse(found === null ? Option.none() : zoneOf(found.timezone), () => DateTime.zoneMakeLocal())
}

/**
 * Reads `resets 8:31am (Europe/Paris)`, `try again at Nov 24th, 2026 8:01 AM`, `try again in 2 hours 5 minutes`,
 * `regain access on 2026-12-01 at 00:00 UTC`. `zone`: the variable `TZ` of the process that printed a time without one. A time that is over is
 * given as it is.
 */
export const resetIn = (text: string, now: number, zone: string | null = null): number | null => {
  const piped = /limit reached\|(\d{9,13})/.exec(text)
  if (piped !== null) return instant(piped[1])
  const pause = lengthIn(text)
  if (pause !== null) return now + pause
  const local = zoneOfVariable(zone)
  for (const { 0: found, index } of text.matchAll(cue)) {
    const after = index + found.length
    const at = printedTime(text.slice(after, after + 100), now, local)
    if (at !== null) return at
  }
  return null
}
