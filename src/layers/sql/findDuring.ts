/** Finds the tasks that ran in a span of time: along the index of ends and that of open tasks, never over all rows. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Schema from "effect/Schema"
import * as Str from "effect/String"
import { TaskPlace } from "../../domain/task/Task.ts"
import * as Statement from "./database/Statement.ts"

const columnNames = Object.keys(TaskPlace.fields).map(Str.camelToSnake).join(", ")

export const findDuring = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(columnNames)
  const ran = (from: number, until: number) => sql`
    SELECT ${columns}, seq FROM tasks WHERE status = 'running' AND started_at <= ${until}
    UNION ALL
    SELECT ${columns}, seq FROM tasks INDEXED BY tasks_ended
    WHERE ended_at IS NOT NULL AND ended_at >= ${from} AND started_at IS NOT NULL AND started_at <= ${until}
  `
  const open = (now: number) => sql`
    SELECT ${columns}, seq FROM tasks WHERE status = 'running'
    UNION ALL
    SELECT ${columns}, seq FROM tasks INDEXED BY tasks_ready
    WHERE status = 'queued' AND waiting_on = 0 AND asks = 0 AND cancel_requested_at IS NULL
      AND (not_before IS NULL OR not_before <= ${now})
  `
  const find = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.Number, until: Schema.NullOr(Schema.Number), limit: Schema.Int }),
    Result: TaskPlace,
    execute: ({ from, limit, until }) => sql`
      SELECT ${columns} FROM (${until === null ? open(from) : ran(from, until)}) ORDER BY seq LIMIT ${limit}
    `
  }))
  return (from: number, until: number | null, limit: number) => find({ from, until, limit })
}
