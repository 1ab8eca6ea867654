/** Queries over all schedules: those that are due and when, those that may be deleted, those that wait for a time. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Schema from "effect/Schema"
import type { ScheduleStatus } from "../../../domain/schedule/Schedule.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { ScheduleIdRow } from "./ScheduleRows.ts"

const over: ReadonlyArray<ScheduleStatus> = ["completed", "expired", "cancelled"]

export const makeScheduleScans = (sql: SqlClient.SqlClient) => {
  const findNext = Statement.findOne(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ nextFireAt: Timestamp }),
    execute: () => sql`
      SELECT next_fire_at FROM schedules INDEXED BY schedules_fire
      WHERE status = 'active' ORDER BY next_fire_at LIMIT 1
    `
  }))

  const findDue = Statement.findAll(() => ({
    Request: Schema.Struct({ now: Schema.Number, limit: Schema.Number }),
    Result: ScheduleIdRow,
    execute: ({ limit, now }) => sql`
      SELECT id FROM schedules INDEXED BY schedules_fire
      WHERE status = 'active' AND next_fire_at <= ${now} ORDER BY next_fire_at, seq LIMIT ${limit}
    `
  }))

  const findOver = Statement.findAll(() => ({
    Request: Schema.Struct({ endedBefore: Schema.Number, limit: Schema.Number }),
    Result: ScheduleIdRow,
    execute: ({ endedBefore, limit }) => sql`
      SELECT id FROM schedules WHERE ${sql.in("status", over)} AND updated_at < ${endedBefore}
        AND NOT EXISTS (
          SELECT 1 FROM schedule_executions open WHERE open.schedule_id = schedules.id AND open.status = 'running'
        ) AND NOT EXISTS (
          SELECT 1 FROM schedules follower WHERE follower.follows = schedules.id AND (
            follower.status IN ('active', 'paused')
            OR (follower.status <> 'cancelled' AND follower.updated_at >= ${endedBefore})
          )
        )
      ORDER BY seq LIMIT ${limit}
    `
  }))

  const findWaiting = Statement.findAll(() => ({
    Request: Schema.Struct({ after: Schema.Number, limit: Schema.Number }),
    Result: Schema.Struct({ ...ScheduleIdRow.fields, seq: Schema.Int }),
    execute: ({ after, limit }) => sql`
      SELECT id, seq FROM schedules WHERE status = 'active' AND seq > ${after} ORDER BY seq LIMIT ${limit}
    `
  }))

  /** Their last moment has not come, so either they have no time before it, or the clock was ahead. */
  const findExpired = Statement.findAll(() => ({
    Request: Schema.Struct({ now: Schema.Number, after: Schema.Number, limit: Schema.Number }),
    Result: Schema.Struct({ ...ScheduleIdRow.fields, seq: Schema.Int }),
    execute: ({ after, limit, now }) => sql`
      SELECT id, seq FROM schedules WHERE status = 'expired' AND seq > ${after} AND expires_at > ${now} ORDER BY seq LIMIT ${limit}
    `
  }))

  return { findDue, findExpired, findNext, findOver, findWaiting }
}
