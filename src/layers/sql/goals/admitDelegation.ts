/** Keeps the tree of a goal within its bounds, in the transaction that stores tasks. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { refusalOf } from "../../../domain/goal/Goal.ts"
import { GoalLimitReached } from "../../../domain/goal/GoalErrors.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeGoalRows } from "./GoalRows.ts"

/** It must run inside a transaction. */
export const makeAdmitDelegation = (sql: SqlClient.SqlClient) => {
  const { findTree } = makeGoalRows(sql)

  const findParent = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ goalId: LoopId, depth: Schema.Int }),
    execute: (id) => sql`SELECT goal_id, depth FROM tasks WHERE id = ${id} AND goal_id IS NOT NULL`
  }))

  const countStored = Statement.single(() => ({
    Request: Schema.parseJson(Schema.Array(Schema.String)),
    Result: Schema.Struct({ stored: Schema.Int }),
    execute: (keys) => sql`
      SELECT count(*) AS stored FROM tasks WHERE idempotency_key IN (SELECT value FROM json_each(${keys}))
    `
  }))

  /** A task that is stored already under its key is not new. */
  const freshAmong = (tasks: ReadonlyArray<NewTask>) =>
    Effect.gen(function* () {
      const keys = tasks.flatMap(({ idempotencyKey }) => idempotencyKey ?? [])
      if (keys.length === 0) return tasks.length
      const { stored } = yield* countStored(Array.from(new Set(keys))).pipe(
        Effect.catchTag("NoSuchElementException", Effect.die)
      )
      return tasks.length - stored
    })

  return (tasks: ReadonlyArray<NewTask>) =>
    Effect.gen(function* () {
      const parents = new Set(tasks.flatMap(({ parentId }) => parentId ?? []))
      for (const parentId of parents) {
        const parent = yield* findParent(parentId)
        if (Option.isNone(parent)) continue
        const { depth, goalId } = parent.value
        const tree = yield* findTree(goalId)
        if (Option.isNone(tree)) continue
        const { goal, open, over, spentUsd } = tree.value
        const count = yield* freshAmong(tasks.filter((task) => task.parentId === parentId))
        if (count <= 0) continue
        const now = yield* Clock.currentTimeMillis
        // A lead is at depth 0: no goal is set from inside a task.
        const bound = refusalOf({ goal: { ...goal, over }, count, depth: depth + 1, open, spentUsd, now })
        if (bound !== null) return yield* new GoalLimitReached({ goal: goalId, bound })
        yield* sql`UPDATE goals SET tasks = tasks + ${count} WHERE loop_id = ${goalId}`
      }
    })
}
