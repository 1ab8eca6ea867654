/** Keeps a session of an agent to one task at a time: two would each lose what the other says. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { sessionOf } from "../../../domain/task/Arrival.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import { TaskSummary } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"

/** It must run inside the transaction that stores the tasks. */
export const makeRefuseSharing = (sql: SqlClient.SqlClient) => {
  const findHolder = Statement.findOne(() => ({
    Request: Schema.Struct({ agent: Schema.String, directory: Schema.String, sessionId: Schema.String }),
    Result: TaskSummary.pick("id", "status"),
    execute: ({ agent, directory, sessionId }) => sql`
      SELECT id, status FROM tasks
      WHERE status IN ('queued', 'running') AND agent = ${agent} AND directory = ${directory} AND session_id = ${sessionId}
      ORDER BY seq LIMIT 1
    `
  }))

  return (tasks: ReadonlyArray<NewTask>) =>
    Effect.forEach(
      tasks,
      (task) =>
        Effect.gen(function* () {
          const session = sessionOf(task)
          if (session === null) return
          const holder = yield* findHolder(session)
          if (Option.isNone(holder)) return
          const { id, status } = holder.value
          return yield* new TaskStateConflict({ id, step: "share its session", actual: status })
        }),
      { discard: true }
    )
}
