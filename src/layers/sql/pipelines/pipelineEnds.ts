/** What the end of tasks means for the pipelines they are steps of: pauses begin, and a pipeline may end. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { PipelineId, TaskId, Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeReleaseDependents } from "../queue/releaseDependents.ts"
import { standing } from "./PipelineRows.ts"

/** Ids as one parameter of a statement, whatever their number. */
const Ids = Schema.parseJson(Schema.Array(TaskId))
const Touched = Schema.parseJson(Schema.Array(PipelineId))

/** The last part of the transaction that ends tasks, or that stores a pipeline. */
export const makePipelineEnds = (sql: SqlClient.SqlClient) => {
  const { releaseAwaiting } = makeReleaseDependents(sql)

  const findTouched = Statement.findAll(() => ({
    Request: Ids,
    Result: Schema.Struct({ id: PipelineId }),
    execute: (ended) => sql`
      SELECT DISTINCT pipeline_id AS id FROM pipeline_steps WHERE task_id IN (SELECT value FROM json_each(${ended}))
    `
  }))

  /** A step that no longer waits for a task waits for its pause; no step has a start time before. */
  const startPauses = Statement.run(() => ({
    Request: Schema.Struct({ touched: Touched, at: Timestamp }),
    execute: ({ at, touched }) => sql`
      UPDATE tasks SET not_before = ${at} + step.delay_ms
      FROM pipeline_steps step
      WHERE step.pipeline_id IN (SELECT value FROM json_each(${touched})) AND step.delay_ms > 0
        AND tasks.id = step.task_id AND tasks.status = 'queued' AND tasks.waiting_on = 0 AND tasks.not_before IS NULL
    `
  }))

  /** Those that have ended with this. */
  const appendEnds = Statement.findAll(() => ({
    Request: Schema.Struct({ touched: Touched, at: Timestamp }),
    Result: Schema.Struct({ id: PipelineId }),
    execute: ({ at, touched }) => sql`
      INSERT INTO outbox (kind, id, status, cause, at)
      SELECT 'pipeline', p.id, ${sql.literal(standing.endStatus)}, NULL, ${at}
      FROM ${sql.literal(standing.from)}
      WHERE p.id IN (SELECT value FROM json_each(${touched}))
      GROUP BY p.seq HAVING ${sql.literal(standing.ended)} ORDER BY p.seq
      ON CONFLICT (id, kind) DO NOTHING RETURNING id
    `
  }))

  const concludePipelines = (touched: ReadonlyArray<PipelineId>, at: number) =>
    Effect.gen(function* () {
      yield* startPauses({ touched, at })
      for (const { id } of yield* appendEnds({ touched, at })) yield* releaseAwaiting(id)
    })

  return {
    concludePipelines,
    /** After these tasks have ended and what waited for them is resolved. */
    afterEnds: (ended: ReadonlyArray<TaskId>, at: number) =>
      Effect.gen(function* () {
        const touched = yield* findTouched(ended)
        if (touched.length === 0) return
        yield* concludePipelines(
          touched.map(({ id }) => id),
          at
        )
      }),
    /** An automatic retry takes the place of the attempt that failed. */
    replaceStep: (failed: TaskId, retry: TaskId) =>
      Effect.gen(function* () {
        const moved = yield* sql`
          UPDATE pipeline_steps SET task_id = ${retry} WHERE task_id = ${failed} RETURNING pipeline_id
        `
        if (moved.length === 0) return
        yield* sql`
          UPDATE tasks SET pipeline_id = (SELECT pipeline_id FROM tasks WHERE id = ${failed}) WHERE id = ${retry}
        `
      })
  }
}
