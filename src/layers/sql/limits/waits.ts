/** What single tasks wait for, and waited for, as limits of accounts and goals go. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LimitWait } from "../../../domain/limits/AccountLimits.ts"
import { Park } from "../../../domain/limits/Park.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeGoalRows } from "../goals/GoalRows.ts"

export const makeWaits = (sql: SqlClient.SqlClient) => {
  const findWait = Statement.findOne(() => ({
    Request: Schema.Struct({ id: TaskId, now: Timestamp }),
    Result: LimitWait,
    execute: ({ id, now }) => sql`
      SELECT lanes.account, lanes."window", lanes.opens_at FROM tasks JOIN lanes ON lanes.id = tasks.lane
      WHERE tasks.id = ${id} AND tasks.status = 'queued' AND lanes.opens_at > ${now}
    `
  }))

  const findParks = Statement.findAll(() => ({
    Request: TaskId,
    Result: Park,
    execute: (id) => sql`SELECT * FROM parks WHERE task_id = ${id} ORDER BY n LIMIT 1000`
  }))

  return {
    goalWait: makeGoalRows(sql).findFull,
    limitWait: (id: TaskId) => Effect.flatMap(Clock.currentTimeMillis, (now) => findWait({ id, now })),
    parks: findParks
  }
}
