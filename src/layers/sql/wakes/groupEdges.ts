/** Edges from tasks to pipelines, loops and contests. Only wakes draw them; `releaseDependents.ts` resolves them. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GroupId } from "../../../domain/GroupId.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"

export const makeGroupEdges = (sql: SqlClient.SqlClient) => {
  /** None: it was pruned. */
  const find = Statement.findOne(() => ({
    Request: Schema.String,
    Result: Schema.Struct({ open: Schema.Literal(0, 1) }),
    execute: (id) => sql`
      SELECT ended_at IS NULL AS open FROM loops WHERE id = ${id}
      UNION ALL SELECT ended_at IS NULL FROM contests WHERE id = ${id}
      UNION ALL SELECT NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = pipelines.id AND kind = 'pipeline')
        FROM pipelines WHERE id = ${id}
    `
  }))

  const isOpen = (id: string) =>
    Effect.map(
      find(id),
      Option.exists(({ open }) => open === 1)
    )

  return {
    isOpen,

    /** Its tasks that have not ended. */
    openTasks: Statement.findAll(() => ({
      Request: GroupId,
      Result: Schema.Struct({ id: TaskId }),
      execute: (id) => sql`
        SELECT tasks.id FROM tasks WHERE ended_at IS NULL AND id IN (
          SELECT task_id FROM loop_round_tasks WHERE loop_id = ${id}
          UNION SELECT task_id FROM contest_tasks WHERE contest_id = ${id}
          UNION SELECT task_id FROM pipeline_steps WHERE pipeline_id = ${id}
        )
      `
    })),

    /** One that has ended meanwhile, or was pruned, keeps the task from nothing. */
    connect: (taskId: TaskId, id: string) =>
      Effect.flatMap(isOpen(id), (open) =>
        direct(sql`
          INSERT INTO task_dependencies ${sql.insert({ taskId, upstreamId: id, policy: "finished", state: open ? "pending" : "met" })}
        `)
      )
  }
}
