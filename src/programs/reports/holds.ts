/** What bounds the start of tasks, in one answer: limits of accounts, pauses, groups and budgets. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Gate, Group } from "../../domain/gates/Gate.ts"
import { LimitsView } from "../../domain/limits/AccountLimits.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Limits } from "../../services/Limits.ts"
import { BudgetView, budgetView } from "../budgets/BudgetView.ts"

export const Holds = Schema.Struct({
  ...LimitsView.fields,
  gates: Schema.Array(Gate),
  groups: Schema.Array(Group),
  budgets: Schema.Array(BudgetView)
}).annotations({ identifier: "Holds" })
export type Holds = typeof Holds.Type

export const holds = Effect.gen(function* () {
  const gates = yield* Gates
  const answer: Holds = {
    accounts: yield* (yield* Limits).list,
    gates: yield* gates.list,
    groups: yield* gates.groups,
    budgets: (yield* (yield* Budgets).list).map(budgetView)
  }
  return answer
}).pipe(Effect.withSpan("holds"))
