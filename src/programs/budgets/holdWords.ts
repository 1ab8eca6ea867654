/** Budgets in words, for people who wait for one. */
import type { Budget } from "../../domain/budgets/Budget.ts"
import { amountWords } from "../../text/amountWords.ts"
import { moment, relative } from "../../text/FormatDuration.ts"
import type { BudgetView, HoldView } from "./BudgetView.ts"

/** `all tasks`, `agent claude`, `label team=web`, `task k3v9x2m7q4ab and what it submits`. */
export const scopeWords = ({ scope, value }: Pick<Budget, "scope" | "value">): string =>
  scope === "all" ? "all tasks" : scope === "tree" ? `task ${value} and what it submits` : `${scope} ${value}`

export const periodWords = { day: "today", week: "this week", month: "this month", total: "in all" } as const

/** `opens 2027-03-02 00:00:00 (in 3h)`; empty where only a person opens it. */
export const opensWords = ({ to }: Pick<BudgetView, "to">, now: number): string =>
  to === null ? "" : `opens ${moment(to)} (${relative(to, now)})`

/** `budget nightly: $8.31 of $10.00 are spent today, $1.20 is reserved for running tasks, and a task like it costs about $1.00; opens ...` */
export const holdWords = (hold: HoldView, now: number): string => {
  const { amount, expected, metric, name, period, reserved } = hold
  const words = (value: number) => amountWords(metric, value)
  const spent = hold.spent + hold.used
  const parts = [
    `${words(spent)} of ${words(amount)} spent ${periodWords[period]}`,
    ...(reserved === 0 ? [] : [`${words(reserved)} reserved for running tasks`]),
    ...(spent >= amount || expected === null ? [] : [`a task like it costs about ${words(expected)}`])
  ]
  const opens = opensWords(hold, now)
  return `budget ${name}: ${parts.join(", ")}${opens === "" ? "" : `; ${opens}`}`
}

/** The amount that has room for the task that waits: twice the present one, or more where more is spent and reserved. */
const enough = ({ amount, expected, reserved, spent, used }: HoldView): number => {
  // A task without a reserve needs only something that is left. Sums of millionths of a dollar have errors below half a millionth.
  const taken = expected === null ? spent + used : spent + used + reserved
  const least = Math.ceil(taken + (expected ?? 0) - 5e-7)
  return Math.max(Math.ceil(2 * amount), least > taken ? least : Math.floor(taken) + 1)
}

/** The command that starts it sooner. */
export const raiseCommand = (hold: HoldView): string => {
  const { metric, name, period } = hold
  const amount = enough(hold)
  // An amount is written with at most nine digits.
  const tokens = amount < 100_000 ? `${amount}tokens` : `${Math.ceil(amount / 1000)}ktokens`
  return `beat budget set ${name} --${period} ${metric === "usd" ? `${amount}usd` : tokens}`
}
