/** How many queued tasks start before one. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Priority, TaskId, TaskStatus, Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { gateConditions } from "../gates/gateConditions.ts"
import { orDieWhenMissing } from "./TaskRows.ts"

/** Counted up to this. */
const bound = 1000

export const makeAhead = (sql: SqlClient.SqlClient) => {
  const findPlace = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      status: TaskStatus,
      priority: Priority,
      seq: Schema.Int,
      lane: Schema.Int,
      laneSpare: Schema.Int
    }),
    execute: (id) => sql`
      SELECT status, priority, seq, lane, coalesce((SELECT spare FROM lanes WHERE lanes.id = lane), 0) AS lane_spare
      FROM tasks WHERE id = ${id}
    `
  }))

  // The index is named where the planner would rather sort all tasks of a status.
  const countAhead = Statement.single(() => ({
    Request: Schema.Struct({
      lane: Schema.Int,
      laneSpare: Schema.Int,
      priority: Priority,
      seq: Schema.Int,
      now: Timestamp
    }),
    Result: Schema.Struct({ count: Schema.Int }),
    // What waits for another limit is not ahead of it. Spare tasks start after all others.
    execute: ({ lane, laneSpare, now, priority, seq }) => sql`
      SELECT coalesce(sum((
        SELECT count(*) FROM (
          SELECT 1 FROM tasks INDEXED BY tasks_ready
          WHERE lane = lanes.id AND status = 'queued' AND waiting_on = 0 AND asks = 0 AND cancel_requested_at IS NULL
            AND (not_before IS NULL OR not_before <= ${now})
            AND ${gateConditions(sql, now).task} AND (priority, seq) < (
              CASE WHEN lanes.spare < ${laneSpare} THEN 'P9' WHEN lanes.spare > ${laneSpare} THEN '' ELSE ${priority} END, ${seq}
            )
          LIMIT ${bound}
        )
      )), 0) AS count FROM lanes
      WHERE (opens_at <= ${now} AND (shuts_at IS NULL OR shuts_at > ${now}) AND ${gateConditions(sql, now).lane})
        OR id = ${lane}
    `
  }))

  return (id: TaskId) =>
    Effect.gen(function* () {
      const place = yield* findPlace(id)
      if (Option.isNone(place) || place.value.status !== "queued") return Option.none<number>()
      const now = yield* Clock.currentTimeMillis
      const { count } = yield* countAhead({ ...place.value, now }).pipe(orDieWhenMissing)
      return Option.some(Math.min(bound, count))
    })
}
