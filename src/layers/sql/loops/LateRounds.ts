/** Ends what waits in the queue for a loop whose time is over, on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Timestamp } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { LateRounds } from "../../../services/LateRounds.ts"
import { Paths } from "../../../services/Paths.ts"
import { budgetCondition } from "../budgets/StandingRow.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { gateConditions, laneOpen } from "../gates/gateConditions.ts"
import { makeCancel } from "../queue/cancel.ts"
import { makeFinish } from "../queue/finish.ts"
import { IdRow } from "../tasks/TaskRows.ts"
import { deadlineOfLoop } from "./roundDeadline.ts"

/** Tasks at one look. */
const most = 100

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const { read, write } = makeAccess(sql, database)
  const cancel = makeCancel(sql, makeFinish(sql, ids))

  /**
   * The work that is queued. So are the evaluations of a round in which no work has started, since there is nothing to evaluate, and those
   * that wait for a limit, a pause, a budget or an answer, which may be over in days. The last step comes first, so that the end of one
   * releases no other. While one runs, an evaluation of what it does must not start.
   */
  const findLate = Statement.findAll(() => ({
    Request: Timestamp,
    Result: IdRow,
    execute: (now) => sql`
      SELECT tasks.id FROM loops
      CROSS JOIN loop_round_tasks own ON own.loop_id = loops.id AND own.round = loops.round
      JOIN loop_tasks ON loop_tasks.loop_id = own.loop_id AND loop_tasks.position = own.position
      JOIN tasks ON tasks.id = own.task_id
      LEFT JOIN lanes ON lanes.id = tasks.lane
      WHERE loops.status = 'running' AND ${deadlineOfLoop(sql)} <= ${now}
        AND tasks.status = 'queued' AND (loop_tasks.role = 'work' OR lanes.opens_at > ${now} OR tasks.asks > 0
          OR NOT (${laneOpen(sql, now)} AND ${gateConditions(sql, now).task} AND ${budgetCondition(sql, now)}) OR NOT EXISTS (
          SELECT 1 FROM loop_round_tasks step JOIN loop_tasks steps ON steps.loop_id = step.loop_id AND steps.position = step.position
          JOIN tasks work ON work.id = step.task_id
          WHERE step.loop_id = own.loop_id AND step.round = own.round AND steps.role = 'work'
            AND (work.started_at IS NOT NULL OR work.attempt > 1)
        ))
        AND NOT EXISTS (SELECT 1 FROM goals WHERE goals.loop_id = loops.id)
        AND NOT EXISTS (
          SELECT 1 FROM loop_round_tasks other JOIN tasks running ON running.id = other.task_id
          WHERE other.loop_id = own.loop_id AND other.round = own.round AND running.status = 'running'
        )
      ORDER BY loops.seq, own.position DESC LIMIT ${most}
    `
  }))

  const late = Effect.flatMap(Clock.currentTimeMillis, findLate)

  return LateRounds.of({
    end: Effect.gen(function* () {
      // Almost always there is none: no lock is taken for it.
      if ((yield* late.pipe(read("lateRounds"))).length === 0) return []
      return yield* Effect.gen(function* () {
        const found = yield* late
        for (const { id } of found) {
          yield* cancel(id, { reason: "the time of its loop is over", by: "backbeat" }).pipe(
            Effect.catchTag("TaskNotFound", Effect.die)
          )
        }
        return found.map(({ id }) => id)
      }).pipe(write("endLateRounds"))
    }).pipe(Effect.withSpan("LateRounds.end"))
  })
})

export const layer = Layer.effect(LateRounds, make)
