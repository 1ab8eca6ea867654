/** The claim: the next ready task goes to exactly one caller over all processes. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { outcome } from "../../../domain/task/Outcome.ts"
import { TaskSummary, Timestamp } from "../../../domain/task/Task.ts"
import { type Claim, type ClaimId, deadlineOf } from "../../../domain/worker/Claim.ts"
import { Uid } from "../../../domain/worker/Worker.ts"
import type { ClaimOptions } from "../../../services/Queue.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { ClaimRow } from "../tasks/Rows.ts"
import { claimedFrom, IdRow, startOf } from "../tasks/TaskRows.ts"
import type { makeFinish } from "./finish.ts"

/** The end of a task that would keep every other from being claimed. */
const unreadable = outcome({
  status: "failed",
  cause: "spawn-failed",
  error: "What is stored of it cannot be read by this version of Backbeat. Submit it again."
})

const Room = Schema.Struct({ now: Timestamp, limit: Schema.Int, uid: Uid })

/** Fewer workers than this there must be, over all processes. */
const limitOf = ({ maxConcurrency, onlyWhenIdle }: ClaimOptions): number =>
  onlyWhenIdle ? Math.min(1, maxConcurrency) : maxConcurrency

export const makeClaim = (sql: SqlClient.SqlClient, finish: ReturnType<typeof makeFinish>) => {
  const findStart = startOf(sql)

  // The index is named, since the planner would rather sort all that is queued.
  const ready = ({ limit, now, uid }: typeof Room.Type) => sql`
    SELECT id FROM tasks INDEXED BY tasks_ready
    WHERE status = 'queued' AND waiting_on = 0 AND cancel_requested_at IS NULL
      AND (not_before IS NULL OR not_before <= ${now})
      AND (uid IS NULL OR uid = ${uid})
      AND (SELECT count(*) FROM claims) < ${limit}
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

  const insertClaim = Statement.run(() => ({
    Request: ClaimRow,
    execute: (row) => sql`INSERT INTO claims ${sql.insert(row)}`
  }))

  /** The task that may start now, where there is room for it. Cheap, and needs no lock. */
  const next = (options: ClaimOptions) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => findReady({ now, limit: limitOf(options), uid: options.uid }))

  /** Must run inside a transaction. */
  const take = (options: ClaimOptions, claimId: ClaimId) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const started = yield* start({ now, limit: limitOf(options), uid: options.uid })
      if (Option.isNone(started)) return Option.none()
      const { id, timeoutMs } = started.value
      yield* direct(sql`INSERT INTO claim_history ${sql.insert({ claimId, taskId: id, claimedAt: now })}`)
      const claim: Claim = {
        taskId: id,
        claimId,
        workerId: options.workerId,
        state: "claimed",
        process: null,
        bootId: options.bootId,
        claimedAt: now,
        runningAt: null,
        deadlineUptime: deadlineOf(options.uptimeMs, timeoutMs),
        stopCause: null,
        stopAt: null
      }
      yield* insertClaim(claim)
      return yield* findStart(id).pipe(
        Effect.map(Option.map(claimedFrom(claim))),
        Effect.catchTag("ParseError", () =>
          Effect.as(finish(id, unreadable, { claimId, workerId: options.workerId }), Option.none())
        ),
        Effect.catchTags({ TaskNotFound: Effect.die, TaskStateConflict: Effect.die })
      )
    })

  return { next, take }
}
