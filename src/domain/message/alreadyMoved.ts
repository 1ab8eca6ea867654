/** Another process has moved a message to the next turn in the meantime. */
import { TaskStateConflict } from "../Errors.ts"
import type { TaskId } from "../task/Task.ts"

export const alreadyMoved = (id: TaskId): TaskStateConflict =>
  new TaskStateConflict({ id, step: "say a message", actual: "queued", note: "another process has moved it already" })
