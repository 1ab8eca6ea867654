/** Goals on SQLite: the end of those whose time or money is over, and what their tasks cost. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { LoopId } from "../../../domain/loop/LoopId.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { Goals } from "../../../services/Goals.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeCancel } from "../queue/cancel.ts"
import { makeFinish } from "../queue/finish.ts"
import { makeGoalRows } from "./GoalRows.ts"

const reasons = { budget: "the budget of its goal is spent", deadline: "the time of its goal is over" } as const

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const { read, write } = makeAccess(sql, database)
  const { findOverdue } = makeGoalRows(sql)
  const cancel = makeCancel(sql, makeFinish(sql, ids))

  const findLeads = Statement.findAll(() => ({
    Request: Schema.String,
    Result: Schema.Struct({ id: TaskId }),
    execute: (goal) => sql`
      SELECT id FROM tasks WHERE goal_id = ${goal} AND parent_id IS NULL AND ended_at IS NULL
    `
  }))

  const findCosts = Statement.findAll(() => ({
    Request: Schema.parseJson(Schema.Array(TaskId)),
    Result: Schema.Struct({ taskId: TaskId, costUsd: Schema.Number }),
    execute: (wanted) => sql`
      SELECT task_id, sum(cost_micro) / 1000000.0 AS cost_usd FROM json_each(${wanted}) AS wanted
      JOIN ledger ON ledger.task_id = wanted.value WHERE cost_micro IS NOT NULL GROUP BY task_id
    `
  }))

  const stop = (loopId: LoopId, bound: keyof typeof reasons) =>
    Effect.gen(function* () {
      yield* sql`UPDATE goals SET stop = ${bound} WHERE loop_id = ${loopId} AND stop IS NULL`
      for (const { id } of yield* findLeads(loopId)) {
        yield* cancel(id, { reason: reasons[bound], by: "backbeat" }).pipe(Effect.catchTag("TaskNotFound", Effect.die))
      }
    })

  const now = Clock.currentTimeMillis

  return Goals.of({
    stopOverdue: Effect.gen(function* () {
      const overdue = yield* Effect.flatMap(now, findOverdue).pipe(read("overdueGoals"))
      if (overdue.length === 0) return overdue
      // Again inside the transaction: another worker may have been faster.
      return yield* Effect.gen(function* () {
        const still = yield* Effect.flatMap(now, findOverdue)
        for (const one of still) yield* stop(one.loopId, one.stop)
        return still
      }).pipe(write("stopGoals"))
    }).pipe(Effect.withSpan("Goals.stopOverdue")),

    costs: Effect.fn("Goals.costs")((wanted) =>
      findCosts(wanted).pipe(
        Effect.map((rows) => new Map(rows.map(({ costUsd, taskId }) => [taskId, costUsd]))),
        read("taskCosts")
      )
    )
  })
})

export const layer = Layer.effect(Goals, make)
