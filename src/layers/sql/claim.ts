/** The claim: the next ready task goes to exactly one caller over all processes. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { outcome } from "../../domain/Outcome.ts"
import { TaskSummary, Timestamp } from "../../domain/Task.ts"
import { type ClaimId, deadlineOf, type Worker } from "../../domain/Worker.ts"
import type { ClaimOptions } from "../../services/Queue.ts"
import { direct } from "./direct.ts"
import type { makeFinish } from "./finish.ts"
import { WorkerRow } from "./rows.ts"
import * as Statement from "./statement.ts"
import { claimFrom, IdRow, startOf } from "./taskRows.ts"

/** The end of a task that would keep every other from being claimed. */
const unreadable = outcome({
  status: "failed",
  cause: "spawn-failed",
  error: "What is stored of it cannot be read by this version of Backbeat. Submit it again."
})

const Room = Schema.Struct({ now: Timestamp, limit: Schema.Int })

/** Fewer workers than this there must be, over all processes. */
const limitOf = ({ maxWorkers, onlyWhenIdle }: ClaimOptions): number =>
  onlyWhenIdle ? Math.min(1, maxWorkers) : maxWorkers

export const makeClaim = (sql: SqlClient.SqlClient, finish: ReturnType<typeof makeFinish>) => {
  const findStart = startOf(sql)

  // The index is named, since the planner would rather sort all that is queued.
  const ready = ({ limit, now }: typeof Room.Type) => sql`
    SELECT id FROM tasks INDEXED BY tasks_ready
    WHERE status = 'queued' AND waiting_on = 0 AND cancel_requested_at IS NULL
      AND (not_before IS NULL OR not_before <= ${now})
      AND (SELECT count(*) FROM workers) < ${limit}
    ORDER BY priority, seq LIMIT 1
  `

  const findReady = Statement.findOne(() => ({ Request: Room, Result: IdRow, execute: ready }))

  const start = Statement.findOne(() => ({
    Request: Room,
    Result: TaskSummary.pick("id", "timeoutMs"),
    execute: (room) => sql`
      UPDATE tasks SET status = 'running', started_at = ${room.now}
      WHERE id = (${ready(room)}) AND status = 'queued' AND waiting_on = 0
      RETURNING id, timeout_ms
    `
  }))

  const insertWorker = Statement.run(() => ({
    Request: WorkerRow,
    execute: (row) => sql`INSERT INTO workers ${sql.insert(row)}`
  }))

  /** The task that may start now, where there is room for it. Cheap, and needs no lock. */
  const next = (options: ClaimOptions) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => findReady({ now, limit: limitOf(options) }))

  /** Must run inside a transaction. */
  const take = (options: ClaimOptions, claimId: ClaimId) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const started = yield* start({ now, limit: limitOf(options) })
      if (Option.isNone(started)) return Option.none()
      const { id, timeoutMs } = started.value
      yield* direct(sql`INSERT INTO claims ${sql.insert({ claimId, taskId: id, claimedAt: now })}`)
      const worker: Worker = {
        taskId: id,
        claimId,
        runtimeId: options.runtimeId,
        state: "claimed",
        process: null,
        bootId: options.bootId,
        claimedAt: now,
        runningAt: null,
        deadlineUptime: deadlineOf(options.uptimeMs, timeoutMs),
        stopCause: null,
        stopAt: null
      }
      yield* insertWorker(worker)
      return yield* findStart(id).pipe(
        Effect.map(Option.map(claimFrom(worker))),
        Effect.catchTag("ParseError", () =>
          Effect.as(finish(id, unreadable, { claimId, runtimeId: options.runtimeId }), Option.none())
        ),
        Effect.catchTags({ TaskNotFound: Effect.die, TaskStateConflict: Effect.die })
      )
    })

  return { next, take }
}
