/** What goes wrong with budgets. */
import * as Schema from "effect/Schema"
import { BudgetName, mostBudgets } from "./Budget.ts"

export class BudgetNotFound extends Schema.TaggedError<BudgetNotFound>()("BudgetNotFound", { name: BudgetName }) {
  override get message(): string {
    return `There is no budget '${this.name}'. 'beat budget list' shows the budgets; to make it: beat budget set ${this.name} --day 10usd`
  }
}

export class TooManyBudgets extends Schema.TaggedError<TooManyBudgets>()("TooManyBudgets", { name: BudgetName }) {
  override get message(): string {
    return `There are already ${mostBudgets} budgets, which is the most. '${this.name}' was not stored. To remove one: beat budget remove NAME`
  }
}
