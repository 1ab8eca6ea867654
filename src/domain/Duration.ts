/** Lengths of time as people write them. */
import * as Either from "effect/Either"

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000
}
const pattern = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/
const part = /(\d+(?:\.\d+)?)(ms|[smhdw])/g

/** A hundred years: more is a slip of the keyboard, and would lead out of the calendar. */
const longestMs = 36_525 * 86_400_000

/** `30m`, `1h30m`, `90s`, `500ms`, `2d`, `1w`, `0`: milliseconds, or what is wrong with it. */
export const parseDuration = (text: string): Either.Either<number, string> => {
  if (/\dM(?!S)/.test(text)) {
    return Either.left(`'${text}' may mean minutes or months: write m for minutes, or days as in 30d`)
  }
  const compact = text.trim().toLowerCase()
  if (compact === "0") return Either.right(0)
  if (!pattern.test(compact)) {
    const bare = /^\d+$/.test(compact)
    return Either.left(
      bare
        ? `'${text}' has no unit: write ${compact}s or ${compact}m`
        : `'${text}' is not a length of time: write for example 90s, 30m, 1h30m or 2d`
    )
  }
  let total = 0
  for (const [, amount, unit] of compact.matchAll(part)) total += Number(amount) * (units[unit ?? ""] ?? 0)
  // Zero means "no limit" in most places: what is longer than zero stays so.
  const rounded = total > 0 ? Math.max(1, Math.round(total)) : 0
  return rounded <= longestMs ? Either.right(rounded) : Either.left(`'${text}' is too long`)
}

/** How a time limit is written: 0 means no limit. */
export const zeroIsNone = (milliseconds: number | undefined): number | null | undefined =>
  milliseconds === 0 ? null : milliseconds

/** `850 ms`, `42 s`, `2.5 min`, `3 h`, `2.1 days`: a length of time in a sentence. */
export const lengthInWords = (milliseconds: number): string => {
  const inUnits = (unit: number) => Math.round((milliseconds / unit) * 10) / 10
  if (milliseconds < 1000) return `${milliseconds} ms`
  if (milliseconds < 60_000) return `${Math.round(milliseconds / 1000)} s`
  if (milliseconds < 3_600_000) return `${inUnits(60_000)} min`
  return milliseconds < 48 * 3_600_000 ? `${inUnits(3_600_000)} h` : `${inUnits(86_400_000)} days`
}
