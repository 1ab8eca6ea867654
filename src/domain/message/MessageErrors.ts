/** What goes wrong with messages. */
import * as Schema from "effect/Schema"
import { TaskId } from "../task/Task.ts"

/** Two messages with one id. */
export class MessageConflict extends Schema.TaggedError<MessageConflict>()("MessageConflict", {
  id: Schema.String,
  taskId: TaskId
}) {
  override get message(): string {
    return `Message ${this.id} was sent before, to task ${this.taskId} or with another text. Leave out --id to send another message.`
  }
}

/** Nothing reaches the agent of the task. */
export class MessageRefused extends Schema.TaggedError<MessageRefused>()("MessageRefused", {
  taskId: TaskId,
  reason: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `Task ${this.taskId} ${this.reason}. ${this.hint}`
  }
}
