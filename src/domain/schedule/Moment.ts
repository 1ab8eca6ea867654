/** Moments as people and models write them by date: one reader for every surface, which refuses days that do not exist. */
import * as Either from "effect/Either"
import { fromLocal, type Zone } from "./Zone.ts"

const written =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/** Whether a text is meant as a date: what is wrong with it then is said as such. */
export const looksLikeDate = (text: string): boolean => /^\s*\d{4}-\d{1,2}-\d/.test(text)

/** Whether a date that `parseDate` takes says its zone. */
export const namesZone = (text: string): boolean => written.exec(text.trim())?.[8] !== undefined

const offsetOf = (zone: string): number | null => {
  if (zone.toUpperCase() === "Z") return 0
  const sign = zone.startsWith("-") ? -1 : 1
  const digits = zone.slice(1).replace(":", "")
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2) || "0")
  return hours > 23 || minutes > 59 ? null : sign * (hours * 60 + minutes) * 60_000
}

/**
 * `2027-03-01`, `2027-03-01T09:00`, with seconds, with a zone in the text; without one it is local time in `zone`.
 * Milliseconds since 1970, or what is wrong with it.
 */
export const parseDate = (text: string, zone: Zone): Either.Either<number, string> => {
  const match = written.exec(text.trim())
  if (match === null) return Either.left(`'${text}' is not a time: write for example 2027-03-01T09:00`)
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1, 7)
    .map((one) => Number(one ?? 0))
  const local =
    Date.UTC(year, month - 1, day, hours, minutes, seconds) + Math.floor(Number(`0.${match[7] ?? 0}`) * 1000)
  const found = new Date(local)
  if (
    found.getUTCFullYear() !== year ||
    found.getUTCMonth() !== month - 1 ||
    (found.getUTCDate() !== day && hours < 24)
  ) {
    return Either.left(`'${text}' is not a time: there is no such day`)
  }
  if (hours > 23 || minutes > 59 || seconds > 59) return Either.left(`'${text}' is not a time: there is no such hour`)
  const offset = match[8] === undefined ? null : offsetOf(match[8])
  if (match[8] !== undefined && offset === null) return Either.left(`'${text}' is not a time: there is no such zone`)
  const at = offset === null ? fromLocal(zone, local) : local - offset
  return at < 0 ? Either.left(`'${text}' is not a time from 1970 on`) : Either.right(at)
}
