/** The rows of goals, and what their trees have spent and hold. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Schema from "effect/Schema"
import { Goal, GoalWait } from "../../../domain/goal/Goal.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"

/** The column `goal` of a loop: a JSON object, null for a loop that is not a goal. */
export const goalColumn = `(
  SELECT json_object('maxTasks', max_tasks, 'maxRunning', max_running, 'maxDepth', max_depth, 'maxWakes', max_wakes,
    'deadline', deadline, 'budgetUsd', budget_usd, 'tasks', tasks, 'wakes', wakes, 'stop', stop)
  FROM goals WHERE goals.loop_id = loops.id
) AS goal`

export const storedGoal = Schema.NullOr(Schema.parseJson(Goal))

/** Whether the run of a row of `ledger` has tokens, but no cost in any of its rows. */
const isUnpriced = `ledger.cost_by = 'unpriced' AND NOT EXISTS (
  SELECT 1 FROM ledger priced WHERE priced.claim_id = ledger.claim_id AND priced.cost_micro IS NOT NULL
)`

/** The column `unpriced` of a loop: runs of its tasks, and of the tree of its leads, whose tokens have no price. */
export const unpricedColumn = `(
  SELECT count(DISTINCT ledger.claim_id) FROM (
    SELECT task_id FROM loop_round_tasks WHERE loop_id = loops.id UNION SELECT id FROM tasks WHERE goal_id = loops.id
  ) AS own JOIN ledger ON ledger.task_id = own.task_id WHERE ${isUnpriced}
) AS unpriced`

/**
 * US dollars that the tasks of a tree have cost: by the ledger, and by what agents that run have reported. A run whose tokens
 * have no price counts as `shareOf` a task, so that the bound is reached whatever the model.
 */
const spentOf = (sql: SqlClient.SqlClient, goal: string) => sql`((
  SELECT total(ledger.cost_micro) FROM tasks one JOIN ledger ON ledger.task_id = one.id
  WHERE one.goal_id = ${sql.literal(goal)}
) + (
  SELECT total(claims.used_micro) FROM tasks one JOIN claims ON claims.task_id = one.id
  WHERE one.goal_id = ${sql.literal(goal)}
)) / 1000000.0 + (
  SELECT count(DISTINCT ledger.claim_id) FROM tasks one JOIN ledger ON ledger.task_id = one.id
  WHERE one.goal_id = ${sql.literal(goal)} AND ${sql.literal(isUnpriced)}
) * coalesce((
  SELECT priced.budget_usd / (priced.max_tasks + 1) FROM goals priced WHERE priced.loop_id = ${sql.literal(goal)}
), 0)`

/** Tasks below the lead that run. A task that has open tasks below it waits for them, so it takes no place. */
const runningBelow = (sql: SqlClient.SqlClient) => sql`(
  SELECT count(*) FROM tasks one
  WHERE one.goal_id = goals.loop_id AND one.status = 'running' AND one.parent_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM tasks below WHERE below.parent_id = one.id AND below.ended_at IS NULL
  )
)`

/** Whether the goal of a queued task, a row of `tasks`, lets it start now. A lead waits for no place. */
export const goalCondition = (sql: SqlClient.SqlClient, now: number) => sql`
  (goal_id IS NULL OR EXISTS (
    SELECT 1 FROM goals WHERE goals.loop_id = tasks.goal_id AND goals.stop IS NULL
      AND (goals.deadline IS NULL OR goals.deadline > ${now})
      AND (goals.budget_usd IS NULL OR goals.budget_usd > (${spentOf(sql, "goals.loop_id")}))
      AND (tasks.parent_id IS NULL OR goals.max_running > ${runningBelow(sql)})
  ))
`

export const makeGoalRows = (sql: SqlClient.SqlClient) => ({
  /** The goal with what its tree holds. */
  findTree: Statement.findOne(() => ({
    Request: LoopId,
    Result: Schema.Struct({
      goal: Schema.parseJson(Goal),
      over: Schema.transform(Schema.Literal(0, 1), Schema.Boolean, {
        strict: true,
        decode: (stored) => stored === 1,
        encode: (flag) => (flag ? 1 : 0)
      }),
      open: Schema.Int,
      spentUsd: Schema.Number
    }),
    execute: (id) => sql`
      SELECT ${sql.literal(goalColumn)}, ended_at IS NOT NULL OR cancel_requested_at IS NOT NULL AS over,
        (SELECT count(*) FROM tasks WHERE goal_id = loops.id AND parent_id IS NOT NULL AND ended_at IS NULL) AS open,
        ${spentOf(sql, "loops.id")} AS spent_usd
      FROM loops WHERE id = ${id} AND EXISTS (SELECT 1 FROM goals WHERE loop_id = loops.id)
    `
  })),

  /** The goal that has no place for this queued task. A lead needs none. */
  findFull: Statement.findOne(() => ({
    Request: TaskId,
    Result: GoalWait,
    execute: (id) => sql`
      SELECT * FROM (
        SELECT goals.loop_id AS goal, ${runningBelow(sql)} AS running, goals.max_running AS "limit"
        FROM tasks JOIN goals ON goals.loop_id = tasks.goal_id
        WHERE tasks.id = ${id} AND tasks.status = 'queued' AND tasks.parent_id IS NOT NULL
      ) AS found WHERE running >= "limit"
    `
  })),

  /** Goals whose time or money is over while their lead is open. */
  findOverdue: Statement.findAll(() => ({
    Request: Timestamp,
    Result: Schema.Struct({ loopId: LoopId, stop: Schema.Literal("budget", "deadline") }),
    execute: (now) => sql`
      SELECT goals.loop_id, CASE WHEN goals.deadline <= ${now} THEN 'deadline' ELSE 'budget' END AS stop
      FROM goals JOIN loops ON loops.id = goals.loop_id
      WHERE loops.status = 'running' AND goals.stop IS NULL
        AND (goals.deadline <= ${now} OR goals.budget_usd <= (${spentOf(sql, "goals.loop_id")}))
    `
  }))
})
