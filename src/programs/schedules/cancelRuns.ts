/** Ends a schedule, and where asked the runs of it that go on: then it returns when their processes are gone. */
import * as Effect from "effect/Effect"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import { Schedules } from "../../services/Schedules.ts"
import { retryWhileBusy } from "../changes.ts"
import { cancelPipeline } from "../pipelines/waitForPipeline.ts"
import { cancel } from "../tasks/cancel.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

/** One that is cancelled already still has its runs ended: whoever asked for both may have been interrupted in between. */
export const cancelSchedule = Effect.fn("cancelSchedule")(function* (id: ScheduleId, alsoRuns: boolean) {
  const schedules = yield* Schedules
  const cancelled = schedules.cancel(id)
  if (!alsoRuns) return yield* cancelled
  return yield* Effect.catchTag(cancelled, "ScheduleStateConflict", () => schedules.get(id))
})

export const cancelRuns = Effect.fn("cancelRuns")(function* (id: ScheduleId, by: string, options: EnsureWorkerOptions) {
  const schedules = yield* Schedules
  const reason = "its schedule was cancelled"
  const open = yield* retryWhileBusy(schedules.open(id))
  const tasks = open.flatMap(({ taskId }) => taskId ?? [])
  if (tasks.length > 0) yield* cancel(tasks, { ...options, tree: false, reason, by })
  for (const { pipelineId } of open) {
    if (pipelineId !== null) yield* cancelPipeline(pipelineId, { reason, by }, options)
  }
  return open
})
