/** The claim: the next ready task goes to exactly one caller over all processes. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskSummary, Timestamp } from "../../../domain/task/Task.ts"
import { type Claim, type ClaimId, newClaim } from "../../../domain/worker/Claim.ts"
import { Uid } from "../../../domain/worker/Worker.ts"
import type { ClaimOptions } from "../../../services/Queue.ts"
import { budgetCondition } from "../budgets/StandingRow.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { gateConditions } from "../gates/gateConditions.ts"
import { goalCondition } from "../goals/GoalRows.ts"
import { placeConditions } from "../limits/placeConditions.ts"
import { roundDeadline } from "../loops/roundDeadline.ts"
import { ClaimRow } from "../tasks/Rows.ts"
import { IdRow, startOf } from "../tasks/TaskRows.ts"
import { makeCarryOutWake } from "../wakes/carryOutWake.ts"
import { heldBytes } from "../workspaces/workspaceUse.ts"

const Room = Schema.Struct({
  now: Timestamp,
  limit: Schema.Int,
  uid: Uid,
  maxBytes: Schema.NullOr(Schema.Int)
})

const roomOf = (options: ClaimOptions, now: number): typeof Room.Type => ({
  now,
  limit: limitOf(options),
  uid: options.uid,
  maxBytes: options.workspaceMaxBytes ?? null
})

const Started = Schema.Struct({
  ...TaskSummary.pick("id", "timeoutMs", "parks", "wakes").fields,
  /** The account whose place it takes. */
  account: Schema.NullOr(Schema.String),
  /** Of the loop in whose round it works. */
  deadline: Schema.NullOr(Timestamp),
  /** Whether a budget counts it. */
  budgeted: Schema.Int
})

/** A claim that is made, with the row that its start needs: decoded after the commit, since others wait for the lock. */
export interface Taken {
  readonly claim: Claim
  readonly row: unknown
}

/** Fewer workers than this there must be, over all processes. */
const limitOf = ({ maxConcurrency, onlyWhenIdle }: ClaimOptions): number =>
  onlyWhenIdle ? Math.min(1, maxConcurrency) : maxConcurrency

export const makeClaim = (sql: SqlClient.SqlClient) => {
  const { wake } = makeCarryOutWake(sql)

  /** There is room on the disk for another workspace. */
  const hasSpace = (maxBytes: number | null) => (maxBytes === null ? sql`1 = 1` : sql`${heldBytes(sql)} < ${maxBytes}`)

  /** The first task of a lane. The index is named, since the planner would rather sort all that is queued. */
  const firstOf = ({ maxBytes, now, uid }: typeof Room.Type) => sql`
    SELECT seq FROM tasks INDEXED BY tasks_ready
    WHERE lane = lanes.id AND status = 'queued' AND waiting_on = 0 AND asks = 0 AND cancel_requested_at IS NULL
      AND (not_before IS NULL OR not_before <= ${now})
      AND (uid IS NULL OR uid = ${uid})
      AND ${gateConditions(sql, now).task}
      AND ${goalCondition(sql, now)}
      AND coalesce(${roundDeadline(sql)}, ${now} + 1) > ${now}
      AND (workspace_id IS NULL OR EXISTS (
        SELECT 1 FROM workspaces WHERE workspaces.id = workspace_id
          AND (workspaces.state = 'ready' OR (workspaces.state = 'planned' AND ${hasSpace(maxBytes)}))
          AND NOT EXISTS (
            SELECT 1 FROM tasks running WHERE running.workspace_id = workspaces.id AND running.status = 'running'
          )
      ))
    ORDER BY priority, seq LIMIT 1
  `

  // One look for each open lane: tasks that wait for a limit cost nothing, however many they are.
  const ready = (room: typeof Room.Type) => sql`
    SELECT first.id FROM lanes
    LEFT JOIN accounts ON accounts.key = lanes.gate
    CROSS JOIN tasks AS first ON first.seq = (${firstOf(room)})
    WHERE lanes.opens_at <= ${room.now} AND (lanes.shuts_at IS NULL OR lanes.shuts_at > ${room.now})
      AND ${gateConditions(sql, room.now).lane} AND ${placeConditions(sql, room.now).hasPlace}
      AND ${budgetCondition(sql, room.now)} AND (SELECT count(*) FROM claims) < ${room.limit}
    ORDER BY lanes.spare, first.priority, first.seq LIMIT 1
  `

  const findReady = Statement.findOne(() => ({ Request: Room, Result: IdRow, execute: ready }))

  const start = Statement.findOne(() => ({
    Request: Room,
    Result: Started,
    execute: (room) => sql`
      UPDATE tasks SET status = 'running', started_at = coalesce(started_at, ${room.now}), parked_at = NULL
      WHERE id = (${ready(room)}) AND status = 'queued' AND waiting_on = 0 AND asks = 0
      RETURNING id, coalesce(time_left_ms, timeout_ms) AS timeout_ms, parks, wakes, ${roundDeadline(sql)} AS deadline,
        (SELECT nullif(gate, '') FROM lanes WHERE lanes.id = tasks.lane) AS account,
        EXISTS (SELECT 1 FROM lanes WHERE lanes.id = tasks.lane AND lanes.budgets <> '') AS budgeted
    `
  }))

  const insertClaim = Statement.run(() => ({
    Request: ClaimRow,
    execute: (row) => sql`INSERT INTO claims ${sql.insert(row)}`
  }))

  /** The task that may start now, where there is room for it. Cheap, and needs no lock. */
  const next = (options: ClaimOptions) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => findReady(roomOf(options, now)))

  const takeOne = (options: ClaimOptions, claimId: ClaimId) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const started = yield* start(roomOf(options, now))
      if (Option.isNone(started)) return null
      const { account, budgeted, deadline, id, parks, timeoutMs, wakes } = started.value
      yield* direct(sql`
        INSERT INTO claim_history (claim_id, task_id, n, claimed_at)
        SELECT ${claimId}, ${id}, count(*) + 1, ${now} FROM claim_history WHERE task_id = ${id}
      `)
      const boundMs = deadline === null ? null : deadline - now
      const claim = newClaim({ ...options, taskId: id, claimId, claimedAt: now, timeoutMs, boundMs })
      yield* insertClaim(claim)
      // Reserved from now on, in the transaction that saw the room for it.
      if (budgeted === 1) {
        yield* direct(sql`
          UPDATE claims SET reserve_micro = lanes.reserve_micro, reserve_tokens = lanes.reserve_tokens
          FROM tasks JOIN lanes ON lanes.id = tasks.lane
          WHERE claims.claim_id = ${claimId} AND tasks.id = claims.task_id
        `)
      }
      if (account !== null) yield* direct(sql`UPDATE claims SET account = ${account} WHERE claim_id = ${claimId}`)
      if (parks > 0) {
        yield* direct(sql`UPDATE parks SET released_at = ${now} WHERE task_id = ${id} AND n = ${parks}`)
      }
      if (wakes > 0) yield* wake(id, wakes, claimId, now)
      const [row] = yield* direct(startOf(sql, id))
      return { claim, row } satisfies Taken
    })

  /** As many tasks as there are ids and there is room for. Must run inside a transaction. */
  const take = (options: ClaimOptions, claimIds: ReadonlyArray<ClaimId>) =>
    Effect.gen(function* () {
      const taken: Array<Taken> = []
      for (const claimId of claimIds) {
        const one = yield* takeOne(options, claimId)
        if (one === null) break
        taken.push(one)
      }
      return taken
    })

  return { next, take }
}
