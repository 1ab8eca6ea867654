/** Budgets: how much tasks may spend in a day, a week, a month or in all, and which tasks each of them covers. */
import * as Schema from "effect/Schema"
import { isAtOrBelow } from "../isAtOrBelow.ts"
import { type Labels, type TaskId, Timestamp } from "../task/Task.ts"

export const BudgetName = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    description: "1 to 64 letters, digits and . _ - , the first a letter or a digit"
  }),
  Schema.annotations({ identifier: "BudgetName" })
)
export type BudgetName = typeof BudgetName.Type

/**
 * `value` of a budget: empty for `all`, the name of an agent, a directory with all below it, `KEY` or `KEY=VALUE` of a
 * label, or the id of a task. `task` covers all attempts of one task, `tree` also what its agents submit.
 */
export const BudgetScope = Schema.Literal("all", "agent", "directory", "label", "task", "tree")
export type BudgetScope = typeof BudgetScope.Type

export const BudgetPeriod = Schema.Literal("day", "week", "month", "total")
export type BudgetPeriod = typeof BudgetPeriod.Type

/** Tokens are those that a model read and wrote; what came from a cache does not count. */
export const BudgetMetric = Schema.Literal("usd", "tokens")
export type BudgetMetric = typeof BudgetMetric.Type

/** Once it is spent: start no further task, or also end the agents that run and park their tasks. */
export const BudgetAction = Schema.Literal("pause", "stop")
export type BudgetAction = typeof BudgetAction.Type

/** Millionths of a US dollar, or tokens. */
const Amount = Schema.Int.pipe(Schema.nonNegative())

/** The part of the amount at which a notice is written, where none is given. */
export const standardWarnPercent = 80

/** Budgets that people name. Those of single tasks come in addition. */
export const mostBudgets = 100

export const Budget = Schema.Struct({
  name: BudgetName,
  scope: BudgetScope,
  value: Schema.String,
  period: BudgetPeriod,
  metric: BudgetMetric,
  amount: Amount.pipe(Schema.positive()),
  warnPercent: Schema.Int.pipe(Schema.between(1, 100)),
  action: BudgetAction,
  /** The zone in which its days begin. */
  timezone: Schema.String
})
export type Budget = typeof Budget.Type

/** A budget in its present period. */
export const BudgetStanding = Schema.Struct({
  ...Budget.fields,
  /** When the period began and ends; null: it never does. */
  from: Timestamp,
  to: Schema.NullOr(Timestamp),
  /** What runs that ended in the period have cost. */
  spent: Amount,
  /** What the agents that run have reported so far. */
  used: Amount,
  /** What is kept for them beyond that. */
  reserved: Amount,
  warnedAt: Schema.NullOr(Timestamp),
  trippedAt: Schema.NullOr(Timestamp)
})
export type BudgetStanding = typeof BudgetStanding.Type

/** A budget that keeps a queued task from being claimed, and what a claim would reserve; null if it reserves nothing. */
export const BudgetHold = Schema.Struct({ budget: BudgetStanding, reserve: Schema.NullOr(Amount) })
export type BudgetHold = typeof BudgetHold.Type

/** What decides which budgets a task counts against. */
interface Covered {
  readonly agent: string
  readonly directory: string
  readonly labels: Labels
  /** Its id, and that of its first attempt. */
  readonly attempts: ReadonlyArray<string>
  /** The tasks that it comes from, with their first attempts. */
  readonly above: ReadonlyArray<string>
}

/** A shell command uses no model. */
export const free = "shell"

/** The key of a label, and its value where one is named. */
export const labelOf = (value: string): { readonly key: string; readonly value: string | null } => {
  const at = value.indexOf("=")
  return at === -1 ? { key: value, value: null } : { key: value.slice(0, at), value: value.slice(at + 1) }
}

export const covers = ({ scope, value }: Pick<Budget, "scope" | "value">, task: Covered): boolean => {
  if (task.agent === free) return false
  switch (scope) {
    case "all":
      return true
    case "agent":
      return task.agent === value
    case "directory":
      return isAtOrBelow(task.directory, value)
    case "label": {
      const label = labelOf(value)
      const own = task.labels[label.key]
      return own !== undefined && (label.value === null || own === label.value)
    }
    case "task":
      return task.attempts.includes(value)
    case "tree":
      return task.attempts.includes(value) || task.above.includes(value)
  }
}

/** The budget of `beat run --budget`: it has the id of its task as its name. */
export const treeBudget = (id: TaskId, amount: number): BudgetStanding => ({
  name: id,
  scope: "tree",
  value: id,
  period: "total",
  metric: "usd",
  amount,
  warnPercent: standardWarnPercent,
  action: "stop",
  timezone: "UTC",
  from: 0,
  to: null,
  spent: 0,
  used: 0,
  reserved: 0,
  warnedAt: null,
  trippedAt: null
})
