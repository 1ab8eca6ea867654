/** Times as people say them: "tomorrow 9am", "next friday at noon". The library is loaded at the first one. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { fromLocal, offsetAt, toLocal, type Zone } from "../../domain/schedule/Zone.ts"

/**
 * Milliseconds since 1970, or null where it cannot be understood as a time. Without a zone it is that of `zone`, without a
 * day the next or the last one.
 */
export const naturalTime = Effect.fn("naturalTime")(function* (
  text: string,
  zone: Zone,
  now: number,
  direction: "past" | "future"
) {
  const future = direction === "future"
  // "last friday" is not the next one, and "next friday" not the last one.
  const against = (future ? /\b(?:last|past)\b/i : /\bnext\b/i).test(text)
  const chrono = yield* Effect.promise(() => import("chrono-node/en"))
  const instant = DateTime.toDateUtc(DateTime.unsafeMake(now))
  const [found, second] = chrono.parse(
    text,
    { instant, timezone: Math.round(offsetAt(zone, now) / 60_000) },
    { forwardDate: future && !against }
  )
  // All of it has to be a time: "9am or so" is a guess.
  if (found === undefined || second !== undefined || found.text.trim() !== text.trim()) return null
  // "monday to friday 9am" is two times.
  if (found.end != null) return null
  const { start } = found
  if (start.isCertain("timezoneOffset")) return start.date().getTime()
  const local = toLocal(zone, now)
  const part = (name: "year" | "month" | "day" | "hour" | "minute" | "second") => start.get(name) ?? 0
  const at = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"))
  const names = (part: "day" | "weekday") => start.isCertain(part)
  const day = 86_400_000
  if (against) return fromLocal(zone, at)
  // "at 9am" without a day is the next one, also where the library took today's.
  if (future) return fromLocal(zone, at <= local && !names("day") && !names("weekday") ? at + day : at)
  return fromLocal(zone, at > local && !names("day") ? at - (names("weekday") ? 7 * day : day) : at)
})
