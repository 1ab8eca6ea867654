/** Which tasks wait for answers of a person: the part of the read model that workers look at. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { direct } from "../database/direct.ts"
import type { Access } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { IdRow } from "../tasks/TaskRows.ts"

const bound = 1000

export const makeAskingTasks = (sql: SqlClient.SqlClient, read: Access["read"]) => {
  const findAsking = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: IdRow,
    execute: () => sql`
      SELECT tasks.id FROM claims CROSS JOIN tasks ON tasks.id = claims.task_id WHERE tasks.asks > 0 LIMIT ${bound}
    `
  }))

  return {
    asking: findAsking().pipe(
      read("asking"),
      Effect.map((rows) => rows.map(({ id }) => id)),
      Effect.withSpan("Tasks.asking")
    ),

    awaitAnswers: direct(sql`
      SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE status = 'queued' AND waiting_on = 0 AND asks = 0 LIMIT 1
    `).pipe(
      Effect.map((rows) => rows.length === 0),
      read("awaitAnswers"),
      Effect.withSpan("Tasks.awaitAnswers")
    )
  }
}
