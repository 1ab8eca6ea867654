/** Budgets on the in-memory state: which tasks they cover, what is reserved, and what is spent. */
import {
  type BudgetHold,
  type BudgetName,
  type BudgetStanding,
  type Covered,
  covers
} from "../../../domain/budgets/Budget.ts"
import { rolled } from "../../../domain/budgets/Period.ts"
import { type Cost, hasRoom, inMetric, marked, noCost, reserveFor } from "../../../domain/budgets/Spend.ts"
import type { Task, TaskId } from "../../../domain/task/Task.ts"
import { type LiveUse, mergedUses } from "../../../domain/usage/ModelUse.ts"
import { familyOf } from "./familyOf.ts"
import { type LiveClaim, put, type State } from "./Store.ts"

const triesOf = ({ id, rootId }: Pick<Task, "id" | "rootId">) => [id, ...(rootId === null ? [] : [rootId])]

const coveredIn = (state: State, task: Task): Covered => {
  const above: Array<string> = []
  let parent = task.parentId === null ? undefined : state.tasks.get(task.parentId)?.task
  while (parent !== undefined) {
    above.push(...triesOf(parent))
    parent = parent.parentId === null ? undefined : state.tasks.get(parent.parentId)?.task
  }
  return { agent: task.agent, directory: task.directory, labels: task.labels, attempts: triesOf(task), above }
}

export const coversIn = (state: State, budget: Pick<BudgetStanding, "scope" | "value">, task: Task): boolean =>
  covers(budget, coveredIn(state, task))

/** Adds what running tasks have used and reserve. */
export const standingIn = (state: State, budget: BudgetStanding, now: number): BudgetStanding => {
  const claims = Array.from(state.live).flatMap(([id, live]) => {
    const task = state.tasks.get(id)?.task
    return task !== undefined && coversIn(state, budget, task) ? [live] : []
  })
  const used = claims.reduce((sum, { cost }) => sum + inMetric(budget.metric, cost), 0)
  const reserved = claims.reduce(
    (sum, { cost, reserve }) => sum + Math.max(0, inMetric(budget.metric, reserve) - inMetric(budget.metric, cost)),
    0
  )
  return rolled({ ...budget, used, reserved }, now)
}

const coveringIn = (state: State, task: Task, now: number): ReadonlyArray<BudgetStanding> => {
  const covered = coveredIn(state, task)
  return Array.from(state.budgets.values())
    .filter((budget) => covers(budget, covered))
    .map((budget) => standingIn(state, budget, now))
}

/** What is reserved for a task; nothing for a task that an agent submitted. */
const reserveIn = (state: State, task: Pick<Task, "agent" | "account" | "model" | "parentId">): Cost => {
  if (task.parentId !== null) return noCost
  const runs = new Map<string, { micro: number | null; tokens: number }>()
  const like = state.ledger.filter(
    (entry) => entry.task.agent === task.agent && familyOf(entry.task) === familyOf(task)
  )
  for (const { cacheWriteTokens, claimId, costMicro, inputTokens, outputTokens } of [...like].reverse()) {
    const before = runs.get(claimId) ?? { micro: null, tokens: 0 }
    const micro = costMicro === null ? before.micro : (before.micro ?? 0) + costMicro
    runs.set(claimId, { micro, tokens: before.tokens + inputTokens + outputTokens + cacheWriteTokens })
  }
  return reserveFor(Array.from(runs.values()))
}

/** The budgets that keep a task from being claimed. */
export const holdsIn = (state: State, task: Task, now: number): ReadonlyArray<BudgetHold> => {
  const budgets = coveringIn(state, task, now)
  if (budgets.length === 0) return []
  const cost = reserveIn(state, task)
  return budgets.flatMap((budget) => {
    const reserve = task.parentId === null ? inMetric(budget.metric, cost) : null
    return hasRoom(budget, reserve) ? [] : [{ budget, reserve }]
  })
}

/** What a claim of the task reserves; nothing where no budget covers it. */
export const heldFor = (state: State, task: Task, now: number): LiveClaim => ({
  reserve: coveringIn(state, task, now).length === 0 ? noCost : reserveIn(state, task),
  cost: noCost,
  uses: []
})

export const withBudget = (state: State, name: BudgetName, budget: BudgetStanding): State => ({
  ...state,
  budgets: put(state.budgets, name, { ...budget, used: 0, reserved: 0 })
})

/** `cost` is spent by now. */
export const settled = (state: State, task: Task, cost: Cost, now: number): State => {
  const reserve = reserveIn(state, task)
  return coveringIn(state, task, now).reduce((next, budget) => {
    const spent = budget.spent + inMetric(budget.metric, cost)
    return withBudget(next, budget.name, marked({ ...budget, spent }, inMetric(budget.metric, reserve), now))
  }, state)
}

/** What the agent of a running task has used since its last report. */
export const reported = (state: State, id: TaskId, use: LiveUse | undefined, now: number): State => {
  const live = state.live.get(id)
  const task = state.tasks.get(id)?.task
  if (use === undefined || live === undefined || task === undefined) return state
  const cost = { micro: live.cost.micro + use.cost.micro, tokens: live.cost.tokens + use.cost.tokens }
  const uses = mergedUses([...live.uses, ...use.uses])
  return settled({ ...state, live: put(state.live, id, { ...live, cost, uses }) }, task, noCost, now)
}
