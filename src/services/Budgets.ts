/** Budgets: what tasks may spend. The claim reserves, the ledger settles, and a spent budget lets no further task start. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Budget, BudgetHold, BudgetName, BudgetStanding } from "../domain/budgets/Budget.ts"
import type { TooManyBudgets } from "../domain/budgets/BudgetErrors.ts"
import type { StorageError } from "../domain/Errors.ts"
import type { TaskId } from "../domain/task/Task.ts"

export class Budgets extends Context.Tag("backbeat/Budgets")<
  Budgets,
  {
    /**
     * Makes or changes a budget, from the commit on for queued and running tasks too. What was spent in its present period
     * before counts. Whether it was warned of and spent is worked out again.
     */
    readonly set: (budget: Budget) => Effect.Effect<BudgetStanding, TooManyBudgets | StorageError>
    /** False where there was none. */
    readonly remove: (name: BudgetName) => Effect.Effect<boolean, StorageError>
    readonly find: (name: BudgetName) => Effect.Effect<Option.Option<BudgetStanding>, StorageError>
    /** By name, at most 200; those of single tasks as long as the task has not ended. */
    readonly list: Effect.Effect<ReadonlyArray<BudgetStanding>, StorageError>
    /** The budgets that keep at least one queued task from being claimed, at most 20. */
    readonly holding: Effect.Effect<ReadonlyArray<BudgetHold>, StorageError>
    /** The budget that keeps this queued task from being claimed; of several the one that opens last. */
    readonly holds: (id: TaskId) => Effect.Effect<Option.Option<BudgetHold>, StorageError>
    /** The same for several tasks, in a fixed number of statements; those that no budget holds are left out. */
    readonly holdsOf: (ids: ReadonlyArray<TaskId>) => Effect.Effect<ReadonlyMap<TaskId, BudgetHold>, StorageError>
    /** Running tasks that a spent budget with the action `stop` ends and parks. */
    readonly stopping: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
  }
>() {}
