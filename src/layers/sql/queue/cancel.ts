/** Cancels a task: a queued task ends immediately, a running one gets a request that its worker carries out. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { cancelledUnstarted } from "../../../domain/task/Outcome.ts"
import { isTerminal, TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import type { CancelAnswer, CancelRequest } from "../../../services/Queue.ts"
import * as Statement from "../database/Statement.ts"
import { orNotFound } from "../tasks/TaskRows.ts"
import type { makeFinish } from "./finish.ts"

/** It must run inside a transaction. */
export const makeCancel = (sql: SqlClient.SqlClient, finish: ReturnType<typeof makeFinish>) => {
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
