/** Messages on the in-memory state. What triggers do in the database is computed when a message is read. */
import * as Either from "effect/Either"
import type { TaskStateConflict } from "../../../domain/Errors.ts"
import { alreadyMoved } from "../../../domain/message/alreadyMoved.ts"
import { type MessageId, mostWaiting } from "../../../domain/message/Message.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import { claimWith, type State, type StoredMessage } from "./Store.ts"

const dropped = (message: StoredMessage, reason: string): StoredMessage => ({
  ...message,
  state: "dropped",
  claimId: null,
  reason
})

/** After the end of a claim, an unconfirmed text is to be said again, and an interrupt has nothing to interrupt. */
const afterClaim = (state: State, message: StoredMessage): StoredMessage => {
  const over =
    message.claimId === null
      ? message.kind === "interrupt" && message.state === "stored" && !state.claims.has(message.taskId)
      : claimWith(state, message.claimId) === undefined
  if (!over || (message.state !== "written" && message.state !== "stored") || message.kind === "line") return message
  return message.kind === "interrupt"
    ? dropped(message, "its turn had ended")
    : { ...message, state: "stored", claimId: null }
}

const afterTask = (state: State, message: StoredMessage): StoredMessage => {
  if (message.state !== "stored") return message
  const task = state.tasks.get(message.taskId)?.task
  if (task === undefined || task.endedAt === null || task.endedAt < message.at) return message
  if (task.retriedBy !== null) return afterTask(state, { ...message, taskId: task.retriedBy })
  return task.status === "cancelled" ? dropped(message, "the task was cancelled") : message
}

/** All messages in their present states. */
export const messagesIn = (state: State): ReadonlyArray<StoredMessage> =>
  state.messages.map((message) => afterTask(state, afterClaim(state, message)))

export const pendingIn = (state: State, taskId: TaskId): ReadonlyArray<StoredMessage> =>
  messagesIn(state)
    .filter((message) => message.taskId === taskId)
    .filter(({ kind, state: stands }) => stands === "stored" || (stands === "written" && kind !== "line"))
    .slice(0, mostWaiting)

/** The state with messages changed that `which` picks. */
export const withMessages = (
  state: State,
  which: (message: StoredMessage) => boolean,
  fields: Partial<StoredMessage>
): State => ({
  ...state,
  messages: messagesIn(state).map((message) => (which(message) ? { ...message, ...fields } : message))
})

/** The agent has confirmed messages. */
export const confirmed = (state: State, taskId: TaskId, ids: ReadonlyArray<MessageId>, now: number): State =>
  ids.length === 0
    ? state
    : withMessages(
        state,
        (message) =>
          ids.includes(message.id) &&
          message.taskId === taskId &&
          (message.state === "stored" || message.state === "written"),
        { state: "taken", takenAt: now, claimId: null }
      )

/** The first of the stored tasks says these messages. */
export const moveMessages = (
  state: State,
  ids: ReadonlyArray<MessageId>,
  to: TaskId | undefined
): Either.Either<State, TaskStateConflict> => {
  if (ids.length === 0 || to === undefined) return Either.right(state)
  const stored = messagesIn(state).filter(({ id, state: stands }) => ids.includes(id) && stands === "stored")
  return stored.length < ids.length
    ? Either.left(alreadyMoved(to))
    : Either.right(withMessages(state, ({ id }) => ids.includes(id), { state: "moved", movedTo: to }))
}
