/** A date as people and models write it, in the zone of the caller where it says none. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { namesZone, parseDate } from "../../domain/schedule/Moment.ts"
import { readZone } from "./readTiming.ts"

const utc = DateTime.zoneMakeOffset(0)

/** Milliseconds since 1970, or what is wrong with it. */
export const readLocalDate = Effect.fn("readLocalDate")(function* (text: string) {
  if (namesZone(text)) return yield* parseDate(text, utc)
  const { zone } = yield* Effect.mapError(readZone(null), ({ problem }) => problem)
  return yield* parseDate(text, zone)
})
