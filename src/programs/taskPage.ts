/** One page of tasks, newest first, with what it takes to get the next. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskSummary } from "../domain/Task.ts"
import { type ListFilter, Tasks } from "../services/Tasks.ts"

export const TaskPage = Schema.Struct({
  tasks: Schema.Array(TaskSummary),
  /** How many more match, counted up to 1000. */
  more: Schema.Int,
  /** Give this to get the next page; null when there is none. */
  next: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "TaskPage" })
export type TaskPage = typeof TaskPage.Type

export const taskPage = Effect.fn("taskPage")(function* (filter: ListFilter) {
  const { list } = yield* Tasks
  const { more, tasks } = yield* list(filter)
  const page: TaskPage = { tasks, more, next: more > 0 ? (tasks.at(-1)?.seq ?? null) : null }
  return page
})
