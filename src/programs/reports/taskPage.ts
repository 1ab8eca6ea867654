/** One page of tasks, newest first, with what it takes to get the next. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { type ListFilter, Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

export const TaskPage = Schema.Struct({
  tasks: Schema.Array(TaskSummary),
  /** Those that are claimed and whose agent has not started. */
  starting: Schema.Array(TaskId),
  /** How many match over all pages; exact up to 1000. */
  total: Schema.Int,
  /** How many more match behind this page, counted up to 1000. */
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

export const taskPage = Effect.fn("taskPage")(function* (filter: ListFilter) {
  const { list } = yield* Tasks
  const { more, tasks } = yield* list(filter)
  const all = filter.before === null ? { more, tasks } : yield* list({ ...filter, before: null, limit: 1 })
  const page: TaskPage = {
    tasks,
    starting: yield* startingOf(tasks),
    total: all.tasks.length + all.more,
    more,
    next: more > 0 ? (tasks.at(-1)?.seq ?? null) : null
  }
  return page
})
