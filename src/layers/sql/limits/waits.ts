/** What single tasks wait for, and waited for, as limits of accounts and goals go. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LimitWait } from "../../../domain/limits/AccountLimits.ts"
import { Park } from "../../../domain/limits/Park.ts"
import { spareOpening } from "../../../domain/limits/Spare.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeGoalRows } from "../goals/GoalRows.ts"
import { storedFlag } from "../tasks/Rows.ts"
import { makeWindows } from "./windows.ts"

const decodeWait = Schema.decodeUnknown(LimitWait)

export const makeWaits = (sql: SqlClient.SqlClient) => {
  const windows = makeWindows(sql)

  const findLane = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      account: Schema.String,
      gate: Schema.String,
      family: Schema.String,
      spare: storedFlag,
      opensAt: Schema.Int,
      window: Schema.NullOr(Schema.String)
    }),
    execute: (id) => sql`
      SELECT lanes.* FROM tasks JOIN lanes ON lanes.id = tasks.lane WHERE tasks.id = ${id} AND tasks.status = 'queued'
    `
  }))

  /** For a spare task it is worked out: the room that was stored may be gone by now. */
  const limitWait = (id: TaskId) =>
    Effect.gen(function* () {
      const found = yield* findLane(id)
      if (Option.isNone(found)) return Option.none()
      const now = yield* Clock.currentTimeMillis
      const { account, family, gate, spare, ...stored } = found.value
      const { opensAt, window } = spare ? spareOpening(yield* windows.find(gate), family, now) : stored
      return opensAt > now ? Option.some(yield* decodeWait({ account, window, opensAt })) : Option.none()
    })

  const findParks = Statement.findAll(() => ({
    Request: TaskId,
    Result: Park,
    execute: (id) => sql`SELECT * FROM parks WHERE task_id = ${id} ORDER BY n LIMIT 1000`
  }))

  return {
    goalWait: makeGoalRows(sql).findFull,
    limitWait,
    parks: findParks
  }
}
