/** Cancels a task: a queued task ends immediately, a running one gets a request that its worker carries out. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ParseError } from "effect/ParseResult"
import type { TaskNotFound, TaskStateConflict } from "../../../domain/Errors.ts"
import { cancelledUnstarted, type Outcome } from "../../../domain/task/Outcome.ts"
import { isTerminal, TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import type { CancelAnswer, CancelRequest } from "../../../services/Queue.ts"
import * as Statement from "../database/Statement.ts"
import { orNotFound } from "../tasks/TaskRows.ts"

/** SQL that fails, rows that cannot be read, and a task that is not there or is in another state. */
export type FinishError = SqlError | ParseError | TaskNotFound | TaskStateConflict

/** It must run inside a transaction. `finish` ends a queued task. */
export const makeCancel = (
  sql: SqlClient.SqlClient,
  finish: (id: TaskId, ending: Outcome, holder: null) => Effect.Effect<unknown, FinishError>
) => {
  const findStanding = Statement.findOne(() => ({
    Request: TaskId,
    Result: TaskSummary.pick("status", "cancelRequestedAt"),
    execute: (id) => sql`SELECT status, cancel_requested_at FROM tasks WHERE id = ${id}`
  }))

  return (id: TaskId, { by, reason }: CancelRequest) =>
    Effect.gen(function* () {
      const { cancelRequestedAt, status } = yield* findStanding(id).pipe(orNotFound(id))
      if (isTerminal(status)) return "over" satisfies CancelAnswer
      if (cancelRequestedAt === null) {
        const now = yield* Clock.currentTimeMillis
        yield* sql`
          UPDATE tasks SET cancel_requested_at = ${now}, cancel_reason = ${reason}, cancelled_by = ${by}
          WHERE id = ${id} AND status = ${status} AND cancel_requested_at IS NULL
        `
      }
      if (status === "running") return "requested" satisfies CancelAnswer
      yield* finish(id, cancelledUnstarted, null).pipe(Effect.catchTag("TaskStateConflict", Effect.die))
      return "ended" satisfies CancelAnswer
    })
}
