/** The rows of wakes, and reading them. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import { AwaitedId, Wake } from "../../../domain/wake/Wake.ts"
import { ClaimId } from "../../../domain/worker/Claim.ts"
import * as Statement from "../database/Statement.ts"

export const WakeRow = Schema.Struct(Wake.fields).omit("awaited")

export const makeWakeRows = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal("task_id, n, claim_id, mode, asked_by, asked_at, parked_at, woken_at, session_id")

  const findAsked = Statement.findOne(() => ({
    Request: ClaimId,
    Result: WakeRow,
    execute: (claim) => sql`SELECT ${columns} FROM wakes WHERE claim_id = ${claim} AND parked_at IS NULL`
  }))

  const findWoken = Statement.findOne(() => ({
    Request: ClaimId,
    Result: WakeRow,
    execute: (claim) => sql`SELECT ${columns} FROM wakes WHERE woken_by = ${claim}`
  }))

  const findAwaited = Statement.findAll(() => ({
    Request: Schema.Struct({ taskId: TaskId, n: Schema.Int }),
    Result: Schema.Struct({ id: AwaitedId }),
    execute: ({ n, taskId }) => sql`
      SELECT awaited_id AS id FROM wake_tasks WHERE task_id = ${taskId} AND n = ${n} ORDER BY position
    `
  }))

  const whole = <E, R>(found: Effect.Effect<Option.Option<typeof WakeRow.Type>, E, R>) =>
    Effect.gen(function* () {
      const row = yield* found
      if (Option.isNone(row)) return Option.none<Wake>()
      const awaited = yield* findAwaited(row.value)
      return Option.some<Wake>({ ...row.value, awaited: awaited.map(({ id }) => id) })
    })

  return {
    askedIn: (claim: ClaimId) => whole(findAsked(claim)),
    wokenIn: (claim: ClaimId) => whole(findWoken(claim))
  }
}
