/** A field that takes a time, as the options of commands do. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { type Direction, readMoment } from "../../programs/schedules/readMoment.ts"

/** Milliseconds since 1970, written as ISO 8601, as a length of time from now in `direction`, or in words. */
export const moment = (direction: Direction) =>
  Schema.transformOrFail(Schema.String, Schema.Number, {
    strict: true,
    decode: (text, _, ast) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.mapError(
          readMoment(text, { direction, now, zone: null }),
          (problem) => new ParseResult.Type(ast, text, `expected a time: ${problem}`)
        )
      ),
    encode: (at) => ParseResult.succeed(new Date(at).toISOString())
  })
