/** The one event: something reached its end. */
import * as Schema from "effect/Schema"
import { EndCause, PipelineId, TaskId, TerminalStatus, Timestamp } from "./Task.ts"

/** A task's row of the outbox, written in the transaction that ended the task. */
export const TaskEnded = Schema.Struct({
  /** Rises with every event over all processes; a reader keeps the last one it has seen. */
  seq: Schema.Int,
  kind: Schema.Literal("task"),
  id: TaskId,
  status: TerminalStatus,
  cause: EndCause,
  at: Timestamp,
  /** The automatic retry of the task, which waiters wait for instead. */
  retriedBy: Schema.NullOr(TaskId)
}).annotations({ identifier: "TaskEnded" })
export type TaskEnded = typeof TaskEnded.Type

/** A pipeline's row, written in the transaction that ended the last of its steps. */
const PipelineEnded = Schema.Struct({
  seq: Schema.Int,
  kind: Schema.Literal("pipeline"),
  id: PipelineId,
  status: TerminalStatus,
  cause: Schema.Null,
  at: Timestamp,
  retriedBy: Schema.Null
}).annotations({ identifier: "PipelineEnded" })

export const TerminalEvent = Schema.Union(TaskEnded, PipelineEnded)
export type TerminalEvent = typeof TerminalEvent.Type
