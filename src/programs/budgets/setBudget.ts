/** Makes or changes a budget. Values that are left out stay as they are. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  type Budget,
  type BudgetAction,
  BudgetName,
  type BudgetPeriod,
  type BudgetScope,
  labelOf,
  standardWarnPercent
} from "../../domain/budgets/Budget.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Tasks } from "../../services/Tasks.ts"
import { readZone } from "../schedules/readZone.ts"

interface WrittenBudget {
  readonly name: string
  /** Null: as before, or all tasks. */
  readonly scope: { readonly kind: BudgetScope; readonly value: string } | null
  /** Null: as before. */
  readonly bound: { readonly period: BudgetPeriod; readonly amount: Pick<Budget, "metric" | "amount"> } | null
  readonly warnPercent: number | null
  readonly action: BudgetAction | null
  readonly timezone: string | null
}

export const readBudgetName = (text: string) =>
  Effect.mapError(
    Schema.decodeUnknown(BudgetName)(text),
    () =>
      new InvalidInput({
        field: "name",
        problem: "a name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or a digit",
        example: "nightly"
      })
  )

/** A budget of a task belongs to its first attempt, so that all of its attempts count. */
const readValue = Effect.fn("setBudget.value")(function* (kind: BudgetScope, value: string) {
  if (kind === "label" && !/^[A-Za-z0-9_.\-/]{1,64}$/.test(labelOf(value).key)) {
    return yield* new InvalidInput({ field: "--label", problem: `'${value}' is not a label`, example: "team=web" })
  }
  if (kind !== "task" && kind !== "tree") return value
  const tasks = yield* Tasks
  const task = yield* tasks.summary(yield* tasks.resolve(value))
  return task.rootId ?? task.id
})

export const setBudget = Effect.fn("setBudget")(function* (written: WrittenBudget) {
  const budgets = yield* Budgets
  const name = yield* readBudgetName(written.name)
  const before = Option.getOrNull(yield* budgets.find(name))
  const { metric, amount } = written.bound?.amount ?? before ?? {}
  const period = written.bound?.period ?? before?.period
  if (period === undefined || metric === undefined || amount === undefined) {
    return yield* new InvalidInput({
      field: "--day",
      problem: "a new budget has an amount: --day, --week, --month or --total",
      example: "10usd"
    })
  }
  const scope = written.scope?.kind ?? before?.scope ?? "all"
  const value = written.scope === null ? (before?.value ?? "") : yield* readValue(scope, written.scope.value)
  if (period === "total" && scope !== "task" && scope !== "tree") {
    return yield* new InvalidInput({
      field: "--total",
      problem: "is for one task: name it with --task or --tree",
      example: `beat budget set ${name} --month 100usd`
    })
  }
  const zone = written.timezone ?? before?.timezone ?? null
  const { timezone } = yield* readZone(zone)
  return yield* budgets.set({
    name,
    scope,
    value,
    period,
    metric,
    amount,
    warnPercent: written.warnPercent ?? before?.warnPercent ?? standardWarnPercent,
    action: written.action ?? before?.action ?? "pause",
    timezone
  })
})
