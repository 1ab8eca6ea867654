/** Why those who wait for a task may stop waiting: it has ended, a person has to answer, or a limit keeps it. */
import * as Schema from "effect/Schema"
import { isTerminal, type Task, TaskId, TaskStatus, Timestamp } from "./Task.ts"

export const TaskHalt = Schema.Struct({
  id: TaskId,
  status: TaskStatus,
  /** Its open questions. */
  asks: Schema.Int,
  /** The automatic retry that replaces it. */
  retriedBy: Schema.NullOr(TaskId),
  /** When the limit that keeps it queued ends; null where none does. */
  opensAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "TaskHalt" })
export type TaskHalt = typeof TaskHalt.Type

/** Those with one of the ids that have ended or ask a person. Limits are not in a task. */
export const haltsIn = (ids: ReadonlyArray<TaskId>, tasks: ReadonlyArray<Task>): ReadonlyArray<TaskHalt> =>
  tasks.flatMap(({ asks, id, retriedBy, status }) =>
    ids.includes(id) && (asks > 0 || isTerminal(status)) ? [{ id, status, asks, retriedBy, opensAt: null }] : []
  )
