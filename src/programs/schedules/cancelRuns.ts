/** Cancels a schedule and, if asked, its runs in progress; in that case it returns when their processes have exited. */
import * as Effect from "effect/Effect"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import { Schedules } from "../../services/Schedules.ts"
import { cancelPipeline } from "../pipelines/waitForPipeline.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { cancel } from "../tasks/cancel.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

/** Also cancel the runs of a cancelled schedule: an earlier command may have been interrupted between the two. */
export const cancelSchedule = Effect.fn("cancelSchedule")(function* (id: ScheduleId, alsoRuns: boolean) {
  const schedules = yield* Schedules
  const cancelled = schedules.cancel(id)
  if (!alsoRuns) return yield* cancelled
  return yield* Effect.catchTag(cancelled, "ScheduleStateConflict", () => schedules.get(id))
})

export const cancelRuns = Effect.fn("cancelRuns")(function* (
  id: ScheduleId,
  by: string,
  submitter: Submitter,
  options: EnsureWorkerOptions
) {
  const schedules = yield* Schedules
  const reason = "its schedule was cancelled"
  const open = yield* retryWhileBusy(schedules.open(id))
  const tasks = open.flatMap(({ taskId }) => taskId ?? [])
  if (tasks.length > 0) yield* cancel(tasks, { ...options, tree: false, reason, by })
  for (const { pipelineId } of open) {
    if (pipelineId !== null) yield* cancelPipeline(pipelineId, { reason, by }, submitter, options)
  }
  return open
})
