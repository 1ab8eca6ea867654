/** Cancels a schedule permanently. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cancelRuns, cancelSchedule as end } from "../../programs/schedules/cancelRuns.ts"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Schedules } from "../../services/Schedules.ts"
import { askedBy, ScheduleReference, ScheduleState, scheduleState } from "../fields/ScheduleFields.ts"
import { withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const cancelSchedule = tool({
  name: "CancelSchedule",
  title: "Cancel a schedule",
  description: "Cancel a schedule permanently; it cannot be resumed.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    id: ScheduleReference,
    cancelTasks: Schema.optional(Schema.Boolean.annotations({ description: "Also cancel the runs in progress" }))
  }),
  output: ScheduleState,
  example: { id: "4h8s1zq6w0be", cancelTasks: true },
  handle: Effect.fn("CancelSchedule")(function* ({ cancelTasks, id }, call) {
    const session = yield* Session
    const submitter = submitterOf(session.environment)
    yield* requireOutside(submitter, "change schedules")
    const schedules = yield* Schedules
    const cancelled = yield* end(yield* schedules.resolve(id), cancelTasks === true)
    if (cancelTasks === true) {
      yield* session.serving
      const options = {
        justLaunched: false,
        onTrouble: (problem: { readonly message: string }) =>
          Effect.logWarning(`cancelling: workers keep exiting. ${problem.message}`)
      }
      yield* cancelRuns(cancelled.id, yield* askedBy(call), submitter, options).pipe(
        withProgress(call, Effect.succeed("waiting for the processes to exit"))
      )
    }
    return scheduleState(cancelled, [])
  })
})
