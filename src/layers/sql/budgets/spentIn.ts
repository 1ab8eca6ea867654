/** What the tasks that a budget covers have spent in a period, from the ledger. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Budget, labelOf } from "../../../domain/budgets/Budget.ts"
import * as Statement from "../database/Statement.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { atOrBelow } from "./atOrBelow.ts"

interface Period {
  readonly from: number
  /** Null: it never ends. */
  readonly to: number | null
}

/** Must run inside a transaction. */
export const makeSpentIn = (sql: SqlClient.SqlClient) => {
  const matching = ({ scope, value }: Pick<Budget, "scope" | "value">) => {
    const label = labelOf(value)
    switch (scope) {
      case "all":
        return sql`TRUE`
      case "agent":
        return sql`agent = ${value}`
      case "directory":
        return atOrBelow(sql, "directory", value)
      case "label":
        return sql`EXISTS (
          SELECT 1 FROM json_each(ledger.labels) AS label
          WHERE label.key = ${label.key} AND (${label.value} IS NULL OR label.value = ${label.value})
        )`
      case "task":
        return sql`task_id IN (SELECT id FROM tasks WHERE id = ${value} OR root_id = ${value})`
      case "tree":
        return sql`task_id IN (
          WITH RECURSIVE tree (id) AS (
            SELECT ${value}
            UNION SELECT own.id FROM tree JOIN tasks AS own ON own.root_id = tree.id
            UNION SELECT child.id FROM tree JOIN tasks AS child ON child.parent_id = tree.id
          )
          SELECT id FROM tree
        )`
    }
  }

  return (budget: Pick<Budget, "scope" | "value" | "metric">, { from, to }: Period) =>
    Statement.single(() => ({
      Request: Schema.Void,
      Result: Schema.Struct({ spent: Schema.Int }),
      execute: () => sql`
        SELECT coalesce(sum(CASE ${budget.metric} WHEN 'usd' THEN cost_micro
          ELSE input_tokens + output_tokens + cache_write_tokens END), 0) AS spent
        FROM ledger WHERE at >= ${from} AND (${to} IS NULL OR at < ${to}) AND ${matching(budget)}
      `
    }))().pipe(
      orDieWhenMissing,
      Effect.map(({ spent }) => spent)
    )
}
