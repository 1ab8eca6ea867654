/** The one event: a task reached its end. */
import * as Schema from "effect/Schema"
import { EndCause, TaskId, TerminalStatus, Timestamp } from "./Task.ts"

/** A row of the outbox, written in the transaction that ended the task. */
export const TerminalEvent = Schema.Struct({
  /** Rises with every event over all processes; a reader keeps the last one it has seen. */
  seq: Schema.Int,
  taskId: TaskId,
  status: TerminalStatus,
  cause: EndCause,
  at: Timestamp
}).annotations({ identifier: "TerminalEvent" })
export type TerminalEvent = typeof TerminalEvent.Type
