/** The end of a lead ends what it delegated: in the same transaction, whatever the lead's end was. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { TaskId, TaskStatus } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"

export const makeEndTree = (sql: SqlClient.SqlClient) => {
  /** The newest first: mostly those that wait for others come before these. */
  const findOpen = Statement.findAll(() => ({
    Request: LoopId,
    Result: Schema.Struct({ id: TaskId, status: TaskStatus }),
    execute: (goal) => sql`
      SELECT id, status FROM tasks WHERE goal_id = ${goal} AND parent_id IS NOT NULL AND ended_at IS NULL
      ORDER BY seq DESC
    `
  }))

  /** Asks the workers of running ones; returns the queued ones, which the caller ends. */
  return (goal: LoopId, at: number) =>
    Effect.gen(function* () {
      const open = yield* findOpen(goal)
      if (open.length === 0) return []
      yield* sql`
        UPDATE tasks SET cancel_requested_at = ${at}, cancel_reason = 'its lead has ended', cancelled_by = 'backbeat'
        WHERE goal_id = ${goal} AND parent_id IS NOT NULL AND ended_at IS NULL AND cancel_requested_at IS NULL
      `
      // The end of a round must not store another one.
      yield* sql`
        UPDATE loops SET cancel_requested_at = ${at}, cancel_reason = 'its lead has ended', cancelled_by = 'backbeat'
        WHERE ended_at IS NULL AND cancel_requested_at IS NULL AND id IN (
          SELECT loop_round_tasks.loop_id FROM loop_round_tasks JOIN tasks ON tasks.id = loop_round_tasks.task_id
          WHERE tasks.goal_id = ${goal} AND tasks.parent_id IS NOT NULL
        )
      `
      return open.flatMap(({ id, status }) => (status === "queued" ? [id] : []))
    })
}
