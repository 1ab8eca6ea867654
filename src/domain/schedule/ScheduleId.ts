/** The id of a schedule, in its own file: code that makes ids need not import the schedule model. */
import * as Schema from "effect/Schema"

/** Formed as a task's id is. */
export const ScheduleId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, for example 4h8s1zq6w0be" }),
  Schema.brand("ScheduleId"),
  Schema.annotations({ identifier: "ScheduleId" })
)
export type ScheduleId = typeof ScheduleId.Type
