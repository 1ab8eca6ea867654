/** Parking: a task that met a usage limit or a spent budget, or waits for a person, goes back to the queue with its session. No attempt is used up. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { opening, refusal } from "../../../domain/limits/Limit.ts"
import { budget } from "../../../domain/limits/Window.ts"
import { TaskSummary } from "../../../domain/task/Task.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import type { Parking } from "../../../services/Queue.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { makeGiveBack } from "../questions/giveBack.ts"
import { StoredLaunch } from "../tasks/Rows.ts"
import { makeRecordUsage } from "../usage/recordUsage.ts"
import { makeCarryOutWake } from "../wakes/carryOutWake.ts"
import { makeWindows } from "./windows.ts"

/** Must run inside a transaction that has made sure of the claim. */
export const makePark = (sql: SqlClient.SqlClient) => {
  const windows = makeWindows(sql)
  const recordUsage = makeRecordUsage(sql)
  const wakes = makeCarryOutWake(sql)
  const giveBack = makeGiveBack(sql)

  const update = Statement.findOne(() => ({
    Request: Schema.Struct({
      id: Schema.String,
      now: Schema.Int,
      sessionId: Schema.NullOr(Schema.String),
      resumeSession: Schema.NullOr(Schema.String),
      timeLeftMs: Schema.NullOr(Schema.Int),
      limit: Schema.Boolean,
      givesUp: Schema.Boolean
    }),
    Result: TaskSummary.pick("parks"),
    execute: ({ givesUp, id, limit, now, resumeSession, sessionId, timeLeftMs }) => sql`
      UPDATE tasks SET status = 'queued', parked_at = ${limit ? now : null}, parks = parks + ${limit ? 1 : 0},
        gives_up_at = ${givesUp ? sql`coalesce(gives_up_at, ${now} + give_up_ms)` : sql`gives_up_at`},
        time_left_ms = ${timeLeftMs},
        resume_session = ${resumeSession}, session_id = coalesce(${sessionId}, session_id)
      WHERE id = ${id} AND status = 'running' RETURNING parks
    `
  }))

  const saveLaunch = Statement.run(() => ({
    Request: Schema.Struct({ id: Schema.String, launch: StoredLaunch }),
    execute: ({ id, launch }) => sql`UPDATE task_inputs SET launch = ${launch} WHERE task_id = ${id}`
  }))

  return (taskId: typeof TaskSummary.Type.id, claimId: ClaimId, parking: Parking) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const claimed = yield* windows.findClaimed(taskId)
      const removed = yield* direct(sql`
        DELETE FROM claims WHERE claim_id = ${claimId} RETURNING reserve_micro, reserve_tokens, used
      `)
      yield* sql`UPDATE claim_history SET released_at = ${now}, released = 'parked' WHERE claim_id = ${claimId}`
      yield* recordUsage(taskId, claimId, parking.spending, removed[0])
      const { credit, resetsAt, sessionId, timeLeftMs } = parking
      const resumeSession = parking.launch === null ? sessionId : null
      const { prompt } = parking
      const byBudget = parking.budget === true
      const limit = parking.limit || byBudget
      const parked = yield* update({
        id: taskId,
        now,
        sessionId,
        resumeSession,
        timeLeftMs,
        limit,
        givesUp: parking.limit
      })
      if (Option.isNone(parked)) return
      if (parking.launch !== null) yield* saveLaunch({ id: taskId, launch: parking.launch })
      if (prompt !== null) yield* sql`UPDATE task_inputs SET prompt = ${prompt} WHERE task_id = ${taskId}`
      // The next claim has its own spool: what it prints follows what is stored, and is all that judges it.
      yield* sql`UPDATE task_streams SET base = size, since = size WHERE task_id = ${taskId}`
      // A limit may have refused the very turn that the answers were in, and a pause may have ended it before it began.
      if (limit || parking.unheard === true) yield* giveBack(claimId)
      if (parking.told) yield* wakes.told(claimId, now)
      if (parking.wake) yield* wakes.wait(taskId, claimId, resumeSession, now)
      if (!limit) {
        // Once: the next failure is its own.
        yield* sql`UPDATE parks SET session_id = NULL WHERE task_id = ${taskId}`
        if (!parking.wake) yield* sql`UPDATE wakes SET session_id = NULL WHERE task_id = ${taskId}`
        return
      }
      const record = { taskId, n: parked.value.parks, claimId, at: now, sessionId: resumeSession }
      if (byBudget) {
        yield* sql`INSERT INTO parks ${sql.insert({ ...record, account: null, window: budget, resetsAt: parking.resetsAt })}`
        return
      }
      if (Option.isNone(claimed) || claimed.value.account === null) return
      const { account: gate, claimedAt, family } = claimed.value
      const before = yield* windows.find(gate)
      const observer = { account: gate, source: taskId, family, claimedAt, now }
      const after = refusal(before, observer, { resetsAt, credit })
      yield* windows.replace(gate, before, after)
      const { opensAt, window } = opening(after, family, now)
      yield* sql`INSERT INTO parks ${sql.insert({ ...record, account: gate, window: window ?? "", resetsAt: opensAt })}`
    })
}
