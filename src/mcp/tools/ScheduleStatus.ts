/** Shows a schedule's status and its latest runs. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Execution } from "../../domain/schedule/Schedule.ts"
import { reportOn, scheduleHistory } from "../../programs/schedules/scheduleReport.ts"
import { Schedules } from "../../services/Schedules.ts"
import { isoTime, ScheduleReference, ScheduleState, scheduleState } from "../fields/ScheduleFields.ts"
import { tool } from "../Tool.ts"

const shown = 5

export const scheduleStatus = tool({
  name: "ScheduleStatus",
  title: "Schedule status",
  description: "Show a schedule's next times and latest runs.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ id: ScheduleReference }),
  output: Schema.Struct({
    ...ScheduleState.fields,
    executions: Schema.Array(
      Schema.Struct({
        due: Schema.String,
        ...Execution.pick("status", "reason", "taskId", "pipelineId").fields
      })
    )
  }),
  example: { id: "4h8s1zq6w0be" },
  handle: Effect.fn("ScheduleStatus")(function* ({ id }) {
    const schedules = yield* Schedules
    const report = yield* reportOn(yield* schedules.get(yield* schedules.resolve(id)))
    const { executions } = yield* scheduleHistory(report.id, { limit: shown, before: null })
    return {
      ...scheduleState(report, report.times),
      executions: executions.map(({ dueAt, pipelineId, reason, status, taskId }) => ({
        due: isoTime(dueAt),
        status,
        reason,
        taskId,
        pipelineId
      }))
    }
  })
})
