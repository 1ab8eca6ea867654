/** What single tasks wait for, and waited for, as limits of accounts and goals go. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AccountKey } from "../../../domain/limits/Account.ts"
import { LimitWait } from "../../../domain/limits/AccountLimits.ts"
import { Park } from "../../../domain/limits/Park.ts"
import { spareOpening } from "../../../domain/limits/Spare.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeGoalRows } from "../goals/GoalRows.ts"
import { makeWindows } from "./windows.ts"

export const makeWaits = (sql: SqlClient.SqlClient) => {
  const windows = makeWindows(sql)

  const findWait = Statement.findOne(() => ({
    Request: Schema.Struct({ id: TaskId, now: Timestamp }),
    Result: LimitWait,
    execute: ({ id, now }) => sql`
      SELECT lanes.account, lanes."window", lanes.opens_at FROM tasks JOIN lanes ON lanes.id = tasks.lane
      WHERE tasks.id = ${id} AND tasks.status = 'queued' AND lanes.opens_at > ${now} AND lanes.spare = 0
    `
  }))

  const findSpare = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ account: AccountKey, gate: AccountKey, family: Schema.String }),
    execute: (id) => sql`
      SELECT lanes.account, lanes.gate, lanes.family FROM tasks JOIN lanes ON lanes.id = tasks.lane
      WHERE tasks.id = ${id} AND tasks.status = 'queued' AND lanes.spare = 1
    `
  }))

  /** Worked out now: the room that was stored may be gone by now. */
  const spareWait = (id: TaskId, now: number) =>
    Effect.gen(function* () {
      const lane = yield* findSpare(id)
      if (Option.isNone(lane)) return Option.none()
      const { account, family, gate } = lane.value
      const { opensAt, window } = spareOpening(yield* windows.find(gate), family, now)
      return window === null ? Option.none() : Option.some({ account, window, opensAt } satisfies LimitWait)
    })

  const findParks = Statement.findAll(() => ({
    Request: TaskId,
    Result: Park,
    execute: (id) => sql`SELECT * FROM parks WHERE task_id = ${id} ORDER BY n LIMIT 1000`
  }))

  return {
    goalWait: makeGoalRows(sql).findFull,
    limitWait: (id: TaskId) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const wait = yield* findWait({ id, now })
        return Option.isSome(wait) ? wait : yield* spareWait(id, now)
      }),
    parks: findParks
  }
}
