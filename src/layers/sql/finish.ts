/** The end of a task: the one place that writes a terminal status. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { type Outcome, outcome } from "../../domain/Outcome.ts"
import { TaskId, TaskStatus, TaskSummary } from "../../domain/Task.ts"
import { TerminalEvent } from "../../domain/TerminalEvent.ts"
import { endStep, transition } from "../../domain/Transition.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { EndRow } from "./rows.ts"
import { certain, orNotFound } from "./taskRows.ts"

/** How a task ends that was cancelled before its agent started. */
export const cancelledUnstarted: Outcome = outcome({ status: "cancelled", cause: "cancelled" })

/**
 * The body of the transaction that ends a task; it must run inside one. Without a holder only a queued task ends. A
 * cancel request does not change the outcome: who ends by himself first ends as he did.
 */
export const makeFinish = (sql: SqlClient.SqlClient) => {
  const findStanding = SqlSchema.findOne({
    Request: TaskId,
    Result: TaskSummary.pick("status", "sessionId"),
    execute: (id) => sql`SELECT status, session_id FROM tasks WHERE id = ${id}`
  })

  const writeEnd = SqlSchema.findOne({
    Request: Schema.Struct({ id: TaskId, from: TaskStatus, end: EndRow }),
    Result: Schema.Struct({ id: TaskId }),
    execute: ({ end, from, id }) =>
      sql`UPDATE tasks SET ${sql.update(end)} WHERE id = ${id} AND status = ${from} RETURNING id`
  })

  const writeEvent = SqlSchema.single({
    Request: TerminalEvent.omit("seq"),
    Result: TerminalEvent,
    execute: (event) => sql`INSERT INTO outbox ${sql.insert(event)} RETURNING seq, task_id, status, cause, at`
  })

  return (id: TaskId, ending: Outcome, holder: Holder | null) =>
    Effect.gen(function* () {
      const { sessionId, status } = yield* findStanding(id).pipe(orNotFound(id))
      const step = endStep[ending.status]
      const conflict = (step: string) => new TaskStateConflict({ id, step, actual: status })
      if (transition(status, step) === null || (holder === null && status !== "queued")) return yield* conflict(step)
      if (holder !== null) {
        const removed = yield* sql`
          DELETE FROM workers
          WHERE task_id = ${id} AND claim_id = ${holder.claimId} AND runtime_id = ${holder.runtimeId}
          RETURNING task_id
        `
        if (removed.length === 0) return yield* conflict("finish")
      }
      const at = yield* Clock.currentTimeMillis
      const end = { ...ending, sessionId: ending.sessionId ?? sessionId, endedAt: at }
      const ended = yield* writeEnd({ id, from: status, end })
      if (ended._tag === "None") return yield* conflict(step)
      return yield* writeEvent({ taskId: id, status: ending.status, cause: ending.cause, at }).pipe(certain)
    })
}
