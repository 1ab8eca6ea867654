/** The message: what a person says to the agent of a task, with a record of how far it got. */
import * as Schema from "effect/Schema"
import { Asks } from "../questions/AgentRequest.ts"
import { TaskId, TaskStatus, Timestamp } from "../task/Task.ts"

/** A UUID, which the agent hands back as its receipt. */
export const MessageId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  Schema.brand("MessageId"),
  Schema.annotations({ identifier: "MessageId" })
)
export type MessageId = typeof MessageId.Type

/** `say`: a text for the agent. `line`: a text for a program that reads lines and gives no receipts. `interrupt`: ends the turn. */
const MessageKind = Schema.Literal("say", "line", "interrupt")

/**
 * `stored`: on record. `written`: handed to the agent's process. `taken`: the agent confirmed it; it is never sent again.
 * `moved`: the task ended first, and the task in `movedTo` continues its session with it. `dropped`: it reaches no agent.
 */
const MessageState = Schema.Literal("stored", "written", "taken", "moved", "dropped")

export const Message = Schema.Struct({
  id: MessageId,
  /** Order of arrival, over all tasks. */
  seq: Schema.Int,
  taskId: TaskId,
  kind: MessageKind,
  /** Empty for an interrupt. */
  body: Schema.String,
  /** A user name, or `task <id>`. */
  sender: Schema.String,
  at: Timestamp,
  state: MessageState,
  /** When it was handed to the agent's process, the last time. */
  writtenAt: Schema.NullOr(Timestamp),
  takenAt: Schema.NullOr(Timestamp),
  /** The task that continues the session with it. */
  movedTo: Schema.NullOr(TaskId),
  /** Why it was dropped. */
  reason: Schema.NullOr(Schema.String)
}).annotations({ identifier: "Message" })
export type Message = typeof Message.Type

/** The longest text of a message, in bytes. */
export const maxMessageBytes = 1024 * 1024

/** Messages of one task that may wait. */
export const mostWaiting = 1000

export const isSettled = ({ kind, state }: Pick<Message, "kind" | "state">): boolean =>
  state === "taken" || state === "moved" || state === "dropped" || (kind === "line" && state === "written")

/** How a program takes messages while it runs. `stream-json`: as Claude Code does. `lines`: as they are. */
export const InputFormat = Schema.Literal("stream-json", "lines")
export type InputFormat = typeof InputFormat.Type

/** What decides where a message goes. */
export const Recipient = Schema.Struct({
  status: TaskStatus,
  /** Null: it takes nothing while it runs. */
  format: Schema.NullOr(InputFormat),
  /** Its stdin is at its end: it finishes its last turn. */
  closed: Schema.Boolean,
  /** What its agent asks over its stdin; null: nothing. */
  asks: Schema.NullOr(Asks)
})
export type Recipient = typeof Recipient.Type

/** `live`: to the agent while it runs. `next`: to the next turn of its session, when the task has ended. `ended`: it has. */
export type Route = "live" | "next" | "ended"

export const routeOf = ({ closed, format, status }: Omit<Recipient, "asks">): Route => {
  if (status !== "queued" && status !== "running") return "ended"
  return format !== null && !closed ? "live" : "next"
}
