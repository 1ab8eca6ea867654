/** One page of tasks, newest first, with what it takes to get the next. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { pausesOf } from "../../domain/gates/loopHolding.ts"
import { isTerminal, TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { type ListFilter, Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

export const TaskPage = Schema.Struct({
  tasks: Schema.Array(TaskSummary),
  /** Those that are claimed and whose agent has not started. */
  starting: Schema.Array(TaskId),
  /** Those that a person has paused one by one. */
  paused: Schema.Array(TaskId),
  /** Steps that wait for their loop. */
  looping: Schema.Array(TaskId),
  /** Queued tasks for which a budget has no room. */
  budgeted: Schema.Array(Schema.Struct({ id: TaskId, budget: Schema.String })),
  /** How many match over all pages; exact up to 1000. */
  total: Schema.Int,
  /** How many more match after this page, counted up to 1000. */
  more: Schema.Int,
  /** Give this to get the next page; null when there is none. */
  next: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "TaskPage" })
export type TaskPage = typeof TaskPage.Type

/** Those of some tasks that are claimed and whose agent has not started. */
export const startingOf = Effect.fnUntraced(function* (tasks: ReadonlyArray<TaskSummary>) {
  if (!tasks.some(({ status }) => status === "running")) return []
  const registry = yield* WorkerRegistry
  const claimed = new Set(
    (yield* registry.claims).flatMap(({ state, taskId }) => (state === "claimed" ? [taskId] : []))
  )
  return tasks.flatMap(({ id }) => (claimed.has(id) ? [id] : []))
})

const heldOf = Effect.fnUntraced(function* (tasks: ReadonlyArray<TaskSummary>) {
  if (tasks.every(({ status }) => isTerminal(status))) return { paused: [], looping: [] }
  const gates = (yield* (yield* Gates).list).filter(({ scope }) => scope === "task")
  const paused = new Set(pausesOf(gates).map(({ name }) => name))
  const held = new Set(gates.map(({ name }) => name))
  const ids = tasks.map(({ id }) => id).filter((id) => held.has(id))
  return { paused: ids.filter((id) => paused.has(id)), looping: ids.filter((id) => !paused.has(id)) }
})

/** Those of some tasks for which a budget has no room. */
const budgetedOf = Effect.fnUntraced(function* (tasks: ReadonlyArray<TaskSummary>) {
  const budgets = yield* Budgets
  const queued = tasks.filter(({ status, waitingOn }) => status === "queued" && waitingOn === 0)
  if (queued.length === 0) return []
  const holds = yield* budgets.holdsOf(queued.map(({ id }) => id))
  return Array.from(holds, ([id, { budget }]) => ({ id, budget: budget.name }))
})

export const taskPage = Effect.fn("taskPage")(function* (filter: ListFilter) {
  const { list } = yield* Tasks
  const { more, tasks } = yield* list(filter)
  const all = filter.before === null ? { more, tasks } : yield* list({ ...filter, before: null, limit: 1 })
  const page: TaskPage = {
    tasks,
    starting: yield* startingOf(tasks),
    ...(yield* heldOf(tasks)),
    budgeted: yield* budgetedOf(tasks),
    total: all.tasks.length + all.more,
    more,
    next: more > 0 ? (tasks.at(-1)?.seq ?? null) : null
  }
  return page
})
