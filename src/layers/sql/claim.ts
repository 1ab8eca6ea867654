/** The claim: the next ready task goes to exactly one caller over all processes. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { mutated } from "../../domain/Mutation.ts"
import { outcome } from "../../domain/Outcome.ts"
import { TaskSummary, Timestamp } from "../../domain/Task.ts"
import { type ClaimId, deadlineOf } from "../../domain/Worker.ts"
import type { ClaimOptions } from "../../services/Queue.ts"
import type { makeFinish } from "./finish.ts"
import { WorkerRow } from "./rows.ts"
import * as Statement from "./statement.ts"
import { certain, claimById } from "./taskRows.ts"

/** The end of a task that would keep every other from being claimed. */
const unreadable = outcome({
  status: "failed",
  cause: "spawn-failed",
  error: "What is stored of it cannot be read by this version of Backbeat. Submit it again."
})

export const makeClaim = (sql: SqlClient.SqlClient, finish: ReturnType<typeof makeFinish>) => {
  const claimed = claimById(sql)

  const countWorkers = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ count: Schema.Int }),
    execute: () => sql`SELECT count(*) AS count FROM workers`
  }))

  // Named, since the planner would rather sort all that is queued.
  const findReady = Statement.findOne(() => ({
    Request: Timestamp,
    Result: TaskSummary.pick("id", "timeoutMs"),
    execute: (now) => sql`
      SELECT id, timeout_ms FROM tasks INDEXED BY tasks_ready
      WHERE status = 'queued' AND waiting_on = 0 AND cancel_requested_at IS NULL
        AND (not_before IS NULL OR not_before <= ${now})
      ORDER BY priority, seq LIMIT 1
    `
  }))

  const insertWorker = Statement.run(() => ({
    Request: WorkerRow,
    execute: (row) => sql`INSERT INTO workers ${sql.insert(row)}`
  }))

  /** The task that may start now. Cheap, and needs no lock. */
  const next = ({ maxWorkers, onlyWhenIdle }: ClaimOptions) =>
    Effect.gen(function* () {
      const { count } = yield* countWorkers().pipe(certain)
      if ((count >= maxWorkers && !mutated("over-limit")) || (onlyWhenIdle && count > 0)) return Option.none()
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
        UPDATE tasks SET status = 'running', started_at = ${now} WHERE id = ${id} AND status = 'queued' AND waiting_on = 0 RETURNING id
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
        deadlineAt: deadlineOf(now, timeoutMs),
        stopCause: null,
        stopAt: null
      })
      return yield* claimed(claimId).pipe(
        Effect.catchTag("ParseError", () =>
          Effect.as(finish(id, unreadable, { claimId, runtimeId: options.runtimeId }), Option.none())
        ),
        Effect.catchTags({ TaskNotFound: Effect.die, TaskStateConflict: Effect.die })
      )
    })

  return { next, take }
}
