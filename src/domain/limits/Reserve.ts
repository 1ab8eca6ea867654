/** The part of a window that is kept for a person at certain hours: `30%@09:00-18:00`. */
import * as Schema from "effect/Schema"

export const reservePattern = /^(\d{1,2})%@([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

export const Reserve = Schema.String.pipe(
  Schema.pattern(reservePattern, { message: () => "expected a part and hours of the day, for example 30%@09:00-18:00" })
)
