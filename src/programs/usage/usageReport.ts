/** A report of the ledger as people ask for it: dimensions and days in words of theirs. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { InvalidInput } from "../../domain/Errors.ts"
import { nearest } from "../../domain/Spelling.ts"
import { fromLocal, toLocal, type Zone } from "../../domain/schedule/Zone.ts"
import { type Day, type Dimension, mostDays, mostDimensions, plainDimensions } from "../../domain/usage/UsageReport.ts"
import { Ledger } from "../../services/Ledger.ts"
import { readZone } from "../schedules/readZone.ts"

const labelKey = /^label:[A-Za-z0-9_.\-/]{1,64}$/

const isLabel = (text: string): text is `label:${string}` => labelKey.test(text)

const dimensionOf = (text: string): Either.Either<Dimension, string> => {
  const plain = plainDimensions.find((dimension) => dimension === text)
  if (plain !== undefined) return Either.right(plain)
  if (isLabel(text)) return Either.right(text)
  const close = nearest(text, plainDimensions)
  return Either.left(
    close === null
      ? `'${text}' is not one of ${plainDimensions.join(", ")} and label:KEY`
      : `'${text}' is not known; did you mean '${close}'?`
  )
}

/** `day,label:team`: one to three dimensions, each once. */
export const parseDimensions = (text: string): Either.Either<ReadonlyArray<Dimension>, string> =>
  Either.flatMap(Either.all(text.split(",").map((part) => dimensionOf(part.trim()))), (found) =>
    found.length > mostDimensions
      ? Either.left(`at most ${mostDimensions} dimensions at a time`)
      : new Set(found).size < found.length
        ? Either.left("a dimension is named twice")
        : Either.right(found)
  )

const dayMs = 86_400_000

/** The days of a zone that overlap a time, oldest first; the first and the last one are cut at its ends. */
export const daysBetween = (zone: Zone, from: number, to: number): ReadonlyArray<Day> => {
  const days: Array<Day> = []
  let local = Math.floor(toLocal(zone, from) / dayMs) * dayMs
  while (days.length <= mostDays) {
    const begin = fromLocal(zone, local)
    const end = fromLocal(zone, local + dayMs)
    if (begin >= to) break
    if (end > from) {
      days.push({
        name: new Date(local).toISOString().slice(0, 10),
        from: Math.max(begin, from),
        to: Math.min(end, to)
      })
    }
    local += dayMs
  }
  return days
}

/** What was used from `from` up to `to`. */
export const usageReport = Effect.fn("usageReport")(function* (asked: {
  readonly from: number
  readonly to: number
  readonly by: ReadonlyArray<Dimension>
}) {
  const ledger = yield* Ledger
  if (asked.from >= asked.to) {
    return yield* new InvalidInput({ field: "--since", problem: "has to be before --until", example: "7d" })
  }
  const { zone } = yield* readZone(null)
  const days = asked.by.includes("day") ? daysBetween(zone, asked.from, asked.to) : []
  if (days.length > mostDays) {
    return yield* new InvalidInput({
      field: "--by day",
      problem: `shows at most ${mostDays} days; ask for a shorter time`,
      example: "--since 90d"
    })
  }
  return yield* ledger.report({ ...asked, days })
})
