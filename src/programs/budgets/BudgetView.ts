/** A budget as programs are shown it: amounts in US dollars or tokens. */
import * as Schema from "effect/Schema"
import { type BudgetHold, BudgetStanding } from "../../domain/budgets/Budget.ts"

export const BudgetView = Schema.Struct({
  ...BudgetStanding.fields,
  /** US dollars, or tokens: `metric`. */
  amount: Schema.Number,
  /** What runs that ended in the period have cost. */
  spent: Schema.Number,
  /** What the agents that run have reported so far. */
  used: Schema.Number,
  /** What is kept for them beyond that. */
  reserved: Schema.Number
}).annotations({ identifier: "BudgetView" })
export type BudgetView = typeof BudgetView.Type

export const HoldView = Schema.Struct({
  ...BudgetView.fields,
  /** What a task like the one that waits is expected to cost; null: nothing is reserved for one that an agent submitted. */
  expected: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "BudgetHold" })
export type HoldView = typeof HoldView.Type

const shown = (metric: BudgetStanding["metric"], amount: number): number =>
  metric === "usd" ? amount / 1_000_000 : amount

export const budgetView = (standing: BudgetStanding): BudgetView => {
  const { amount, metric, reserved, spent, used } = standing
  return {
    ...standing,
    amount: shown(metric, amount),
    spent: shown(metric, spent),
    used: shown(metric, used),
    reserved: shown(metric, reserved)
  }
}

export const holdView = ({ budget, reserve }: BudgetHold): HoldView => ({
  ...budgetView(budget),
  expected: reserve === null ? null : shown(budget.metric, reserve)
})
