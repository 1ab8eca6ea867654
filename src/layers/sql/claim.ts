/** The claim: the next ready task goes to exactly one caller over all processes. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskSummary, Timestamp } from "../../domain/Task.ts"
import type { ClaimId } from "../../domain/Worker.ts"
import type { ClaimOptions } from "../../services/Queue.ts"
import { WorkerRow } from "./rows.ts"
import { certain, claimById } from "./taskRows.ts"

export const makeClaim = (sql: SqlClient.SqlClient) => {
  const claimed = claimById(sql)

  const countWorkers = SqlSchema.single({
    Request: Schema.Void,
    Result: Schema.Struct({ count: Schema.Int }),
    execute: () => sql`SELECT count(*) AS count FROM workers`
  })

  // Named, since the planner would rather sort all that is queued.
  const findReady = SqlSchema.findOne({
    Request: Timestamp,
    Result: TaskSummary.pick("id", "timeoutMs"),
    execute: (now) => sql`
      SELECT id, timeout_ms FROM tasks INDEXED BY tasks_ready
      WHERE status = 'queued' AND cancel_requested_at IS NULL AND (not_before IS NULL OR not_before <= ${now})
      ORDER BY priority, seq LIMIT 1
    `
  })

  const insertWorker = SqlSchema.void({
    Request: WorkerRow,
    execute: (row) => sql`INSERT INTO workers ${sql.insert(row)}`
  })

  /** The task that may start now. Cheap, and needs no lock. */
  const next = ({ maxWorkers, onlyWhenIdle }: ClaimOptions) =>
    Effect.gen(function* () {
      const { count } = yield* countWorkers().pipe(certain)
      if (count >= maxWorkers || (onlyWhenIdle && count > 0)) return Option.none()
      return yield* findReady(yield* Clock.currentTimeMillis)
    })

  /** Must run inside a transaction. */
  const take = (options: ClaimOptions, claimId: ClaimId) =>
    Effect.gen(function* () {
      const ready = yield* next(options)
      if (Option.isNone(ready)) return Option.none()
      const { id, timeoutMs } = ready.value
      const now = yield* Clock.currentTimeMillis
      const moved = yield* sql`
        UPDATE tasks SET status = 'running', started_at = ${now} WHERE id = ${id} AND status = 'queued' RETURNING id
      `
      if (moved.length === 0) return Option.none()
      yield* sql`INSERT INTO claims ${sql.insert({ claimId, taskId: id, claimedAt: now })}`
      yield* insertWorker({
        taskId: id,
        claimId,
        runtimeId: options.runtimeId,
        state: "claimed",
        process: null,
        bootId: options.bootId,
        claimedAt: now,
        runningAt: null,
        deadlineAt: timeoutMs === null ? null : now + timeoutMs,
        stopCause: null,
        stopAt: null
      })
      return yield* claimed(claimId)
    })

  return { next, take }
}
