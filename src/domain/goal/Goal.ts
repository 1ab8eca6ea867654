/** The goal: a loop whose work is done by a lead, with bounds on the whole tree of tasks below it. */

import * as Schema from "effect/Schema"
import { LoopId } from "../loop/LoopId.ts"
import { Timestamp } from "../task/Task.ts"
import { dollars } from "../usage/dollars.ts"

/** The highest bounds of a goal. Every goal has bounds. */
export const most = { tasks: 1000, running: 100, depth: 10, wakes: 1000 } as const

/** The default bounds of a goal. */
export const standard = { tasks: 20, running: 3, depth: 2, wakes: 10, rounds: 3 } as const

/** The bound that ended the tree of a goal. */
export const GoalStop = Schema.Literal("budget", "deadline")
export type GoalStop = typeof GoalStop.Type

export const GoalLimits = Schema.Struct({
  /** Tasks that the tree may hold below its leads, over all rounds. */
  maxTasks: Schema.Int.pipe(Schema.between(1, most.tasks)),
  /** Tasks of the tree that run at the same time. A lead with open tasks does not count. */
  maxRunning: Schema.Int.pipe(Schema.between(1, most.running)),
  /** Levels of tasks below a lead. */
  maxDepth: Schema.Int.pipe(Schema.between(1, most.depth)),
  /** Wakes in the whole tree, over all rounds. */
  maxWakes: Schema.Int.pipe(Schema.between(0, most.wakes)),
  /** No task of the tree starts after this time, and the lead is ended then. */
  deadline: Schema.NullOr(Timestamp),
  /** US dollars, by the ledger. */
  budgetUsd: Schema.NullOr(Schema.Finite.pipe(Schema.positive()))
})
export type GoalLimits = typeof GoalLimits.Type

export const Goal = Schema.Struct({
  ...GoalLimits.fields,
  /** Tasks that were delegated so far. */
  tasks: Schema.Int,
  /** Wakes that were asked for so far. */
  wakes: Schema.Int,
  stop: Schema.NullOr(GoalStop)
}).annotations({ identifier: "Goal" })
export type Goal = typeof Goal.Type

/** `running` of `limit` tasks of the goal run: it has no place for another. */
export const GoalWait = Schema.Struct({ goal: LoopId, running: Schema.Int, limit: Schema.Int })
export type GoalWait = typeof GoalWait.Type

/** What each open task of the tree reserves of the budget: a fair share, the lead's own included. */
export const shareOf = ({ budgetUsd, maxTasks }: Pick<GoalLimits, "budgetUsd" | "maxTasks">): number =>
  budgetUsd === null ? 0 : budgetUsd / (maxTasks + 1)

interface Delegation {
  readonly goal: Goal & { readonly over: boolean }
  /** Tasks to be stored now. */
  readonly count: number
  /** Levels of the deepest of them below the lead. */
  readonly depth: number
  /** Tasks below the lead that have not ended. */
  readonly open: number
  /** US dollars, by the ledger. */
  readonly spentUsd: number
  readonly now: number
}

/** Why the tree may not get these tasks, in words that follow "limit: "; null: it may. */
export const refusalOf = ({ count, depth, goal, now, open, spentUsd }: Delegation): string | null => {
  const { budgetUsd, deadline, maxDepth, maxTasks, tasks } = goal
  if (goal.over || goal.stop !== null) return "the goal is over"
  if (deadline !== null && now >= deadline) return "the time of the goal is over"
  if (tasks + count > maxTasks) {
    const more = count === 1 ? "" : `, and these are ${count}`
    return `${tasks} of ${maxTasks} tasks used${more}`
  }
  if (depth > maxDepth) return `depth ${depth} of at most ${maxDepth} below the lead`
  if (budgetUsd === null) return null
  if (spentUsd >= budgetUsd) return `${dollars(spentUsd)} of ${dollars(budgetUsd)} spent`
  const reserved = shareOf(goal) * (open + count)
  return spentUsd + reserved > budgetUsd
    ? `${dollars(spentUsd)} of ${dollars(budgetUsd)} spent, and ${open} open tasks reserve ${dollars(shareOf(goal) * open)}`
    : null
}
