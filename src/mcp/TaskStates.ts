/** The result of tools that start or await tasks: the tasks, the pending ones, and the cursor for the next wait. */
import * as Schema from "effect/Schema"
import { GroupState } from "../programs/reports/groupState.ts"
import { TaskState } from "../programs/reports/taskState.ts"
import { type Link, outputLink, resultLink } from "./protocol/Resources.ts"

export const TaskStates = Schema.Struct({
  tasks: Schema.Array(TaskState),
  /** Pipelines, loops and contests without their steps, rounds and candidates; null where it is about none. */
  groups: Schema.NullOr(Schema.Array(GroupState)),
  /** Tasks, pipelines, loops and contests that have not ended: give these ids to WaitTasks. */
  pending: Schema.Array(Schema.String),
  /** Give this to WaitTasks. */
  cursor: Schema.Int,
  /** More tasks have ended than are listed here: call WaitTasks with the cursor again. */
  more: Schema.Boolean,
  timedOut: Schema.Boolean,
  /** For people: missing credentials, a worker that could not be started. */
  warnings: Schema.Array(Schema.String)
}).annotations({ identifier: "TaskStates" })
export type TaskStates = typeof TaskStates.Type

/** The task that an answer is about. */
export interface TaskOfAnswer {
  readonly id: string
  /** It has not ended. */
  readonly open: boolean
}

/** The most links in a list of tasks: the pattern of the links is clear by then. */
const mostLinks = 5

export const linksOf = ({ tasks }: TaskStates): ReadonlyArray<Link> =>
  tasks
    .flatMap(({ answerCut, endedAt, id }) => [
      ...(answerCut ? [resultLink(id)] : []),
      ...(endedAt === null ? [] : [outputLink(id)])
    ])
    .slice(0, mostLinks)

/** The only task of an answer, if there is exactly one. */
export const onlyTask = ({ groups, pending, tasks }: TaskStates): TaskOfAnswer | null => {
  if (groups !== null) return null
  const [only, ...others] = new Set([...pending, ...tasks.map(({ id }) => id)])
  return only !== undefined && others.length === 0 ? { id: only, open: pending.length === 1 } : null
}
