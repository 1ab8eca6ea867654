/** What tools that start or await tasks give: the tasks, those that go on, and where to go on waiting. */
import * as Schema from "effect/Schema"
import { TaskId } from "../domain/task/Task.ts"
import { TaskState } from "../programs/reports/taskState.ts"
import { type Link, outputLink, resultLink } from "./protocol/Resources.ts"

export const TaskStates = Schema.Struct({
  tasks: Schema.Array(TaskState),
  /** Not ended yet. */
  pending: Schema.Array(TaskId),
  /** Give this to WaitTasks. */
  cursor: Schema.Int,
  /** More have ended than are told here: call WaitTasks with the cursor again. */
  more: Schema.Boolean,
  timedOut: Schema.Boolean,
  /** For people: credentials that were not seen, a worker that could not be started. */
  warnings: Schema.Array(Schema.String)
}).annotations({ identifier: "TaskStates" })
export type TaskStates = typeof TaskStates.Type

/** Links that a list of tasks carries at most: the pattern is plain by then. */
const mostLinks = 5

export const linksOf = ({ tasks }: TaskStates): ReadonlyArray<Link> =>
  tasks
    .flatMap(({ answerCut, endedAt, id }) => [
      ...(answerCut ? [resultLink(id)] : []),
      ...(endedAt === null ? [] : [outputLink(id)])
    ])
    .slice(0, mostLinks)

/** The one task that an answer is about, if there is just one and it goes on. */
export const onlyPending = ({ pending, tasks }: TaskStates): string | null => {
  const [only, ...others] = new Set([...pending, ...tasks.map(({ id }) => id)])
  return only !== undefined && others.length === 0 && pending.length === 1 ? only : null
}
