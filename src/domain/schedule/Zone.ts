/** Local time in a time zone and back, with one rule each for hours that are skipped and hours that come twice. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

export type Zone = DateTime.TimeZone

const day = 86_400_000

/** A zone by its IANA name (`Europe/Berlin`, `UTC`) or its offset (`+02:00`); none for any other word. */
export const zoneOf = (name: string): Option.Option<Zone> =>
  name.length > 64
    ? Option.none()
    : // Effect takes GMT for the beginning of an offset.
      Option.filter(
        DateTime.zoneFromString(name === "GMT" ? "UTC" : name),
        (zone) => zone._tag === "Named" || Math.abs(zone.offset) < day
      )

/** Abbreviations that ICU reads in another way than people do: BST is Dhaka there, and AST Anchorage. */
const misread = /^(?:A[CRS]T|BST|ECT|MIT|[NS]ST)$/i

/** A zone as a person, a variable or an agent names it now; `zoneOf` also takes what was stored before. */
export const zoneNamed = (name: string): Option.Option<Zone> => (misread.test(name) ? Option.none() : zoneOf(name))

/** The name of the zone that this process lives in. */
export const systemZone = (): string => DateTime.zoneToString(DateTime.zoneMakeLocal())

/** Local time minus UTC at a moment, in milliseconds. */
export const offsetAt = (zone: Zone, at: number): number =>
  zone._tag === "Offset" ? zone.offset : DateTime.zonedOffset(DateTime.unsafeMakeZoned(at, { timeZone: zone }))

/** What the clock on the wall shows at a moment, written as if it were UTC. */
export const toLocal = (zone: Zone, at: number): number => at + offsetAt(zone, at)

/**
 * The moment at which the clock on the wall shows `local`. Of two it is the first. A time that the clock skips is moved
 * by as much as the clock was: 02:30 is 03:30 where 02:00 became 03:00.
 */
export const fromLocal = (zone: Zone, local: number): number => {
  const before = offsetAt(zone, local - day)
  const after = offsetAt(zone, local + day)
  if (before === after || offsetAt(zone, local - before) === before) return local - before
  return offsetAt(zone, local - after) === after ? local - after : local - before
}

/** The first moment after `from` with another offset than at `from`; the offset at `to` has to be another one. */
export const transitionBetween = (zone: Zone, from: number, to: number): number => {
  const offset = offsetAt(zone, from)
  let low = from
  let high = to
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(zone, middle) === offset) low = middle
    else high = middle
  }
  return high
}
