/** The body of the transaction that cancels a pipeline. A caller can do more in the same transaction. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Pipeline } from "../../../domain/pipeline/Pipeline.ts"
import { PipelineId, TaskSummary } from "../../../domain/task/Task.ts"
import type { Ids } from "../../../services/Ids.ts"
import type { CancelAnswer, CancelRequest } from "../../../services/Queue.ts"
import * as Statement from "../database/Statement.ts"
import { makeCancel } from "../queue/cancel.ts"
import { makeFinish } from "../queue/finish.ts"
import { orNoPipeline } from "./PipelineRows.ts"

export const makeCancelPipeline = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const cancel = makeCancel(sql, makeFinish(sql, ids))

  const findPipeline = Statement.findOne(() => ({
    Request: PipelineId,
    Result: Pipeline.pick("id"),
    execute: (id) => sql`SELECT id FROM pipelines WHERE id = ${id}`
  }))

  const contestsOf = (id: string) => sql`
    SELECT choice.contest_id FROM pipeline_steps step
    JOIN contest_tasks choice ON choice.task_id = step.task_id AND choice.role = 'choice'
    WHERE step.pipeline_id = ${id}
  `

  /** The tasks of its steps and of their contests. Tasks of a higher level wait for those of a lower one. */
  const findOpen = Statement.findAll(() => ({
    Request: PipelineId,
    Result: TaskSummary.pick("id", "status"),
    execute: (id) => sql`
      SELECT id, status FROM tasks
      WHERE status IN ('queued', 'running') AND id IN (
        SELECT task_id FROM pipeline_steps WHERE pipeline_id = ${id}
        UNION SELECT task_id FROM contest_tasks WHERE contest_id IN (${contestsOf(id)})
      )
      ORDER BY level DESC, seq DESC
    `
  }))

  /** Must run inside a transaction. */
  return (id: PipelineId, request: CancelRequest) =>
    Effect.gen(function* () {
      yield* findPipeline(id).pipe(orNoPipeline(id))
      const open = yield* findOpen(id)
      if (open.length === 0) return "over" satisfies CancelAnswer
      const now = yield* Clock.currentTimeMillis
      yield* sql`
        UPDATE pipelines SET cancel_requested_at = ${now}, cancel_reason = ${request.reason}, cancelled_by = ${request.by}
        WHERE id = ${id} AND cancel_requested_at IS NULL
      `
      yield* sql`
        UPDATE contests SET cancel_requested_at = ${now}, cancel_reason = ${request.reason}, cancelled_by = ${request.by}
        WHERE id IN (${contestsOf(id)}) AND cancel_requested_at IS NULL AND ended_at IS NULL
      `
      yield* Effect.forEach(
        open,
        (task) => cancel(task.id, request).pipe(Effect.catchTag("TaskNotFound", Effect.die)),
        {
          discard: true
        }
      )
      const runs = open.some(({ status }) => status === "running")
      return runs ? ("requested" satisfies CancelAnswer) : ("ended" satisfies CancelAnswer)
    })
}
