/** Captured environments: tasks with the same one share a row, which is deleted with the last of them. */
import type * as SqlClient from "@effect/sql/SqlClient"

/** Deletes an environment that no task, schedule or loop uses. It must run inside a transaction. */
export const makeForgetEnvironment = (sql: SqlClient.SqlClient) => (id: string) =>
  sql`
  DELETE FROM environments WHERE id = ${id}
    AND NOT EXISTS (SELECT 1 FROM task_inputs WHERE environment_id = ${id})
    AND NOT EXISTS (SELECT 1 FROM schedule_tasks WHERE environment_id = ${id})
    AND NOT EXISTS (SELECT 1 FROM loop_tasks WHERE environment_id = ${id})
`
