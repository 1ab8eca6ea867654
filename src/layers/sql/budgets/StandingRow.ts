/** Budgets as rows: each with what running tasks have used and reserve of it. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Schema from "effect/Schema"
import { BudgetStanding } from "../../../domain/budgets/Budget.ts"

export const StandingRow = Schema.Struct({ id: Schema.Int, ...BudgetStanding.fields })
export type StandingRow = typeof StandingRow.Type

/** The claims of tasks that count against a budget. */
const claimsOf = (sql: SqlClient.SqlClient) => sql`
  FROM lane_budgets AS counted CROSS JOIN claims JOIN tasks AS held ON held.id = claims.task_id
  WHERE counted.budget = budgets.id AND counted.lane = held.lane
`

export const standingColumns = (sql: SqlClient.SqlClient) => sql`
  budgets.id, budgets.name, budgets.scope, budgets.value, budgets.period, budgets.metric, budgets.amount,
  budgets.warn_percent, budgets.action, budgets.timezone, budgets."from", budgets."to", budgets.spent,
  budgets.warned_at, budgets.tripped_at,
  coalesce((
    SELECT sum(CASE budgets.metric WHEN 'usd' THEN claims.used_micro ELSE claims.used_tokens END) ${claimsOf(sql)}
  ), 0) AS used,
  coalesce((
    SELECT sum(max(0, CASE budgets.metric WHEN 'usd' THEN claims.reserve_micro - claims.used_micro
      ELSE claims.reserve_tokens - claims.used_tokens END)) ${claimsOf(sql)}
  ), 0) AS reserved
`

/** What a task of the lane needs; null where it needs no reserve. */
export const reserveColumn = (sql: SqlClient.SqlClient) => sql`
  CASE WHEN substr(lanes.budgets, 1, 1) = '+' THEN NULL
    WHEN budgets.metric = 'usd' THEN lanes.reserve_micro ELSE lanes.reserve_tokens END AS reserve
`

/** In a statement that walks the lanes: each budget of the lane has room for another task. `hasRoom` of domain/budgets. */
export const budgetCondition = (sql: SqlClient.SqlClient, now: number) => sql`
  (lanes.budgets = '' OR NOT EXISTS (
    SELECT 1 FROM (
      SELECT budgets.amount,
        CASE budgets.metric WHEN 'usd' THEN lanes.reserve_micro ELSE lanes.reserve_tokens END AS reserve,
        CASE WHEN budgets."to" <= ${now} THEN 0 ELSE budgets.spent END + coalesce((
          SELECT sum(max(
            CASE budgets.metric WHEN 'usd' THEN claims.used_micro ELSE claims.used_tokens END,
            CASE WHEN substr(lanes.budgets, 1, 1) = '+' THEN 0
              WHEN budgets.metric = 'usd' THEN claims.reserve_micro ELSE claims.reserve_tokens END
          )) ${claimsOf(sql)}
        ), 0) AS taken
      FROM lane_budgets JOIN budgets ON budgets.id = lane_budgets.budget WHERE lane_budgets.lane = lanes.id
    ) WHERE taken > 0 AND (taken >= amount OR taken + reserve > amount)
  ))
`
