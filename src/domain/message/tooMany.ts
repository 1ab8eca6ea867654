/** The refusal of a message where too many wait already. */
import type { TaskId } from "../task/Task.ts"
import { mostWaiting } from "./Message.ts"
import { MessageRefused } from "./MessageErrors.ts"

export const tooMany = (taskId: TaskId): MessageRefused =>
  new MessageRefused({
    taskId,
    reason: `has ${mostWaiting} messages that its agent has not taken`,
    hint: "Wait until it has, or end it: beat cancel"
  })
