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

/** The command that starts it sooner. */
export const raiseCommand = ({ amount, metric, name, period }: HoldView): string =>
  `beat budget set ${name} --${period} ${metric === "usd" ? `${Math.ceil(2 * amount)}usd` : `${2 * amount}tokens`}`
