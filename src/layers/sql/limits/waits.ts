/** What single tasks wait for, and waited for, as limits of accounts and goals go. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LimitWait, PlaceWait } from "../../../domain/limits/AccountLimits.ts"
import { Park } from "../../../domain/limits/Park.ts"
import { placesNow } from "../../../domain/limits/Places.ts"
import { spareOpening } from "../../../domain/limits/Spare.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeGoalRows } from "../goals/GoalRows.ts"
import { storedFlag } from "../tasks/Rows.ts"
import { placeConditions } from "./placeConditions.ts"
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

  const findPlaces = Statement.findOne(() => ({
    Request: Schema.Struct({ id: TaskId, now: Timestamp }),
    Result: Schema.Struct({
      ...PlaceWait.fields,
      limit: Schema.NullOr(Schema.Int),
      at: Timestamp,
      familyAsking: Schema.NullOr(TaskId)
    }),
    execute: ({ id, now }) => {
      const { asking, taken } = placeConditions(sql, now)
      return sql`
        SELECT lanes.account, accounts.places AS "limit", accounts.places_at AS at, (SELECT count(*) ${taken}) AS running,
          (SELECT claims.task_id ${taken} ORDER BY claims.claimed_at LIMIT 1) AS asking,
          (SELECT claims.task_id ${asking} LIMIT 1) AS family_asking
        FROM tasks JOIN lanes ON lanes.id = tasks.lane JOIN accounts ON accounts.key = lanes.gate
        WHERE tasks.id = ${id} AND tasks.status = 'queued'
      `
    }
  }))

  const placeWait = (id: TaskId) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const found = yield* findPlaces({ id, now })
      if (Option.isNone(found)) return Option.none<PlaceWait>()
      const { account, asking, at, familyAsking, limit: count, running } = found.value
      const limit = placesNow({ count, at }, now)
      if (running >= limit) return Option.some({ account, running, limit, asking: limit === 1 ? asking : null })
      return familyAsking === null
        ? Option.none()
        : Option.some({ account, running: 1, limit: 1, asking: familyAsking })
    })

  const findParks = Statement.findAll(() => ({
    Request: TaskId,
    Result: Park,
    execute: (id) => sql`SELECT * FROM parks WHERE task_id = ${id} ORDER BY n LIMIT 1000`
  }))

  return {
    goalWait: makeGoalRows(sql).findFull,
    limitWait,
    placeWait,
    parks: findParks
  }
}
