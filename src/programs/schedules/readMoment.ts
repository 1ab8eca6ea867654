/** A time as people and models write it, for every option and every field that takes one. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseDuration } from "../../domain/Duration.ts"
import { looksLikeDate, namesZone, parseDate } from "../../domain/schedule/Moment.ts"
import type { Zone } from "../../domain/schedule/Zone.ts"
import { naturalTime } from "./naturalTime.ts"
import { readZone } from "./readZone.ts"

/** Where a length of time leads from now, and which day is meant where the text names none. */
export type Direction = "past" | "future"

interface Reading {
  readonly direction: Direction
  readonly now: number
  /** Null: that of the caller. It is asked only where the text names no zone. */
  readonly zone: Zone | null
}

const utc = DateTime.zoneMakeOffset(0)

/** `01.02.2027`, `1/2/2027`, `1-2-27`: which of them is the month depends on the country. */
const ambiguous = /^\s*\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})\b/

const examples: Readonly<Record<Direction, string>> = {
  future: "10m, 2027-03-01T09:00 or 'tomorrow 9am'",
  past: "2h, 2027-03-01T09:00 or 'yesterday 9am'"
}

/**
 * `2h` from now or before it, `2027-03-01T09:00` in the zone or with its own, a date alone (its midnight), or as people say
 * it. Milliseconds since 1970, or what is wrong with it.
 */
export const readMoment = Effect.fn("readMoment")(function* (text: string, { direction, now, zone }: Reading) {
  const span = parseDuration(text)
  if (Either.isRight(span)) return direction === "past" ? now - span.right : now + span.right
  const written = text.trim()
  const inZone = () =>
    zone === null
      ? Effect.mapBoth(readZone(null), { onFailure: ({ problem }) => problem, onSuccess: (local) => local.zone })
      : Effect.succeed(zone)
  if (looksLikeDate(written)) return yield* parseDate(written, namesZone(written) ? utc : yield* inZone())
  if (ambiguous.test(written)) {
    return yield* Effect.fail(`'${text}' can mean two days: write the year first, e.g. 2027-02-01`)
  }
  // Numbers alone are a year or a forgotten unit, and not an hour.
  const natural = /[a-z]/i.test(written) ? yield* naturalTime(written, yield* inZone(), now, direction) : null
  if (natural !== null) return natural
  return yield* Effect.fail(`'${text}' is not a time; use e.g. ${examples[direction]}`)
})
