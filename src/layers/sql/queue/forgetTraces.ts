/** Deletes rows that refer to pruned tasks but belong to more than one task. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import { makeLaneBudgets } from "../budgets/laneBudgets.ts"
import * as Statement from "../database/Statement.ts"

/** Workspaces and questions without tasks that one transaction deletes. */
const most = 1000

/** Both must run inside a transaction. */
export const makeForgetTraces = (sql: SqlClient.SqlClient) => {
  const laneBudgets = makeLaneBudgets(sql)

  const findWork = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ root: TaskId, agent: Schema.String, sessionId: Schema.NullOr(Schema.String) }),
    execute: (id) => sql`SELECT coalesce(root_id, id) AS root, agent, session_id FROM tasks WHERE id = ${id}`
  }))

  /** Budgets of one task, or of its tree, that has no attempt left. */
  const findBudgets = Statement.findAll(() => ({
    Request: Schema.String,
    Result: Schema.Struct({ id: Schema.Int }),
    execute: (root) => sql`
      SELECT id FROM budgets WHERE value = ${root} AND scope IN ('task', 'tree')
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = ${root} OR tasks.root_id = ${root})
    `
  }))

  return {
    /** What to do once the task is deleted. */
    of: (id: TaskId) =>
      Effect.map(
        findWork(id),
        Option.match({
          onNone: () => Effect.void,
          onSome: ({ agent, root, sessionId }) =>
            Effect.gen(function* () {
              for (const budget of yield* findBudgets(root)) {
                yield* laneBudgets.leave(budget.id)
                yield* sql`DELETE FROM budgets WHERE id = ${budget.id}`
              }
              // The count of a session is subtracted from its next run, and only a task of the same work can be that run.
              if (sessionId !== null) {
                yield* sql`
                  DELETE FROM session_totals WHERE agent = ${agent} AND session_id = ${sessionId} AND NOT EXISTS (
                    SELECT 1 FROM tasks
                    WHERE (tasks.id = ${root} OR tasks.root_id = ${root}) AND tasks.session_id = ${sessionId}
                  )
                `
              }
              yield* sql`DELETE FROM gates WHERE scope = 'task' AND name = ${id}`
              yield* sql`UPDATE windows SET source = NULL WHERE source = ${id}`
              yield* sql`UPDATE merges SET check_task = NULL WHERE check_task = ${id}`
            })
        })
      ),

    /** What tasks have left behind of which none is left. */
    withoutTasks: (endedBefore: number) =>
      Effect.gen(function* () {
        yield* sql`
          DELETE FROM workspaces WHERE id IN (
            SELECT id FROM workspaces WHERE state = 'gone' AND used_at < ${endedBefore}
              AND NOT EXISTS (SELECT 1 FROM tasks WHERE workspace_id = workspaces.id) LIMIT ${most}
          )
        `
        // Asked from outside of any task.
        yield* sql`
          DELETE FROM questions WHERE id IN (
            SELECT id FROM questions WHERE task_id IS NULL AND state <> 'open'
              AND coalesce(answered_at, asked_at) < ${endedBefore} LIMIT ${most}
          )
        `
      })
  }
}
