/** Finds schedules, including finished ones on request. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ScheduleStatus } from "../../domain/schedule/Schedule.ts"
import { schedulePage } from "../../programs/schedules/scheduleReport.ts"
import { whole } from "../fields/Fields.ts"
import { ScheduleState, scheduleState } from "../fields/ScheduleFields.ts"
import { tool } from "../Tool.ts"

export const listSchedules = tool({
  name: "ListSchedules",
  title: "List schedules",
  description: "List schedules, newest first.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    all: Schema.optional(Schema.Boolean.annotations({ description: "Include finished schedules" })),
    cursor: Schema.optional(whole(0, Number.MAX_SAFE_INTEGER, ""))
  }),
  output: Schema.Struct({ schedules: Schema.Array(ScheduleState), next: Schema.NullOr(Schema.Int) }),
  example: { all: true, cursor: 12 },
  handle: Effect.fn("ListSchedules")(function* ({ all, cursor }) {
    const live: ReadonlyArray<ScheduleStatus> = ["active", "paused"]
    const { next, schedules } = yield* schedulePage({
      status: all === true ? [] : live,
      limit: 10,
      before: cursor ?? null
    })
    return {
      schedules: schedules.map((one) => scheduleState(one, one.nextFireAt === null ? [] : [one.nextFireAt])),
      next
    }
  })
})
