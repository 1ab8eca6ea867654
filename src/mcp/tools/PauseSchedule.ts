/** Pauses a schedule. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Schedules } from "../../services/Schedules.ts"
import { ScheduleReference, ScheduleState, scheduleState } from "../fields/ScheduleFields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const pauseSchedule = tool({
  name: "PauseSchedule",
  title: "Pause a schedule",
  description: "Pause a schedule. Runs in progress continue.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: Schema.Struct({ id: ScheduleReference, reason: Schema.optional(Schema.String) }),
  output: ScheduleState,
  example: { id: "4h8s1zq6w0be", reason: "holidays" },
  handle: Effect.fn("PauseSchedule")(function* ({ id, reason }) {
    yield* requireOutside(submitterOf((yield* Session).environment), "change schedules")
    const schedules = yield* Schedules
    const given = { reason: reason?.slice(0, 1000) ?? null, revision: null }
    return scheduleState(yield* schedules.pause(yield* schedules.resolve(id), given), [])
  })
})
