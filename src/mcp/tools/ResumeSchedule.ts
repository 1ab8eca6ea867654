/** Resumes a paused schedule. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { resumeSchedule as resume } from "../../programs/schedules/ScheduleChanges.ts"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Schedules } from "../../services/Schedules.ts"
import { ScheduleReference, ScheduleState, scheduleState } from "../fields/ScheduleFields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const resumeSchedule = tool({
  name: "ResumeSchedule",
  title: "Resume a schedule",
  description: "Resume a paused schedule. Runs missed while paused are skipped.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({ id: ScheduleReference }),
  output: ScheduleState,
  example: { id: "4h8s1zq6w0be" },
  handle: Effect.fn("ResumeSchedule")(function* ({ id }) {
    yield* requireOutside(submitterOf((yield* Session).environment), "change schedules")
    const session = yield* Session
    const schedules = yield* Schedules
    const resolved = yield* schedules.resolve(id)
    yield* session.serving
    const { schedule } = yield* Effect.uninterruptible(resume(resolved))
    return scheduleState(schedule, schedule.times)
  })
})
