/** Why those who wait for a task may stop waiting: it has ended, a person has to answer, or a limit keeps it. */
import * as Schema from "effect/Schema"
import { TaskId, TaskStatus, Timestamp } from "./Task.ts"

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
