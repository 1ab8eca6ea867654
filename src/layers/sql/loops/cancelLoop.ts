/** Cancels a loop: waiting tasks of its round end, running ones get the request, and the end of the last one ends the loop. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { TaskSummary } from "../../../domain/task/Task.ts"
import type { CancelAnswer, CancelRequest } from "../../../services/Queue.ts"
import * as Statement from "../database/Statement.ts"
import type { makeCancel } from "../queue/cancel.ts"
import { makeEndLoop } from "./endLoop.ts"
import { LoopRow } from "./LoopRows.ts"

/** It must run inside a transaction. None: there is no such loop. */
export const makeCancelLoop = (sql: SqlClient.SqlClient, cancelTask: ReturnType<typeof makeCancel>) => {
  const endLoop = makeEndLoop(sql)

  const findStanding = Statement.findOne(() => ({
    Request: LoopId,
    Result: LoopRow.pick("status", "cancelRequestedAt", "endedAt"),
    execute: (id) => sql`SELECT status, cancel_requested_at, ended_at FROM loops WHERE id = ${id}`
  }))

  /** The last first, so that the end of one releases no other. */
  const findOpen = Statement.findAll(() => ({
    Request: LoopId,
    Result: TaskSummary.pick("id", "status"),
    execute: (id) => sql`
      SELECT tasks.id, tasks.status FROM loop_round_tasks own JOIN tasks ON tasks.id = own.task_id
      WHERE own.loop_id = ${id} AND tasks.ended_at IS NULL ORDER BY own.position DESC
    `
  }))

  return (id: LoopId, request: CancelRequest) =>
    Effect.gen(function* () {
      const loop = yield* findStanding(id)
      if (Option.isNone(loop)) return Option.none<CancelAnswer>()
      const { cancelRequestedAt, endedAt, status } = loop.value
      if (endedAt !== null) return Option.some<CancelAnswer>("over")
      const now = yield* Clock.currentTimeMillis
      if (cancelRequestedAt === null) {
        yield* sql`
          UPDATE loops SET cancel_requested_at = ${now}, cancel_reason = ${request.reason}, cancelled_by = ${request.by}
          WHERE id = ${id}
        `
      }
      if (status === "paused") {
        yield* endLoop(id, "cancelled", now)
        return Option.some<CancelAnswer>("ended")
      }
      const open = yield* findOpen(id)
      // The end of the last one ends the loop.
      yield* Effect.forEach(open, (task) => cancelTask(task.id, request), { discard: true }).pipe(
        Effect.catchTag("TaskNotFound", Effect.die)
      )
      return Option.some<CancelAnswer>(open.some((task) => task.status === "running") ? "requested" : "ended")
    })
}
