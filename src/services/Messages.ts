/** Messages to agents: stored first, then handed over, and on record until the agent has confirmed them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError, TaskNotFound, TaskStateConflict } from "../domain/Errors.ts"
import type { Message, MessageId, Recipient } from "../domain/message/Message.ts"
import type { MessageConflict, MessageRefused } from "../domain/message/MessageErrors.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { Holder } from "./WorkerRegistry.ts"

export type NewMessage = Pick<Message, "id" | "taskId" | "kind" | "body" | "sender">

export class Messages extends Context.Tag("backbeat/Messages")<
  Messages,
  {
    /** How the task would get a message now. */
    readonly recipient: (taskId: TaskId) => Effect.Effect<Recipient, TaskNotFound | StorageError>
    /**
     * Stores messages to one task, all or none, in order, and returns after the commit. A message that was sent before with the
     * same id and text is returned as it is. At most 1000 may wait for one task.
     */
    readonly send: (
      messages: readonly [NewMessage, ...ReadonlyArray<NewMessage>]
    ) => Effect.Effect<ReadonlyArray<Message>, MessageConflict | MessageRefused | TaskNotFound | StorageError>
    readonly find: (id: MessageId) => Effect.Effect<Option.Option<Message>, StorageError>
    /** The last messages of a task, at most `limit`, oldest first. */
    readonly list: (taskId: TaskId, limit: number) => Effect.Effect<ReadonlyArray<Message>, StorageError>
    /** Messages of a task that are stored, or written and not confirmed, oldest first. */
    readonly pending: (taskId: TaskId) => Effect.Effect<ReadonlyArray<Message>, StorageError>
    /** Records that a message was handed to the agent of this claim. */
    readonly written: (holder: Holder, id: MessageId) => Effect.Effect<void, TaskStateConflict | StorageError>
    /**
     * Decides that the agent of this claim gets no more messages; from the commit on, a message goes to its next turn. Unless
     * `whatever`, it is false and decides nothing while a message is pending. True also where it was decided before.
     */
    readonly close: (
      holder: Holder,
      options: { readonly whatever: boolean }
    ) => Effect.Effect<boolean, TaskStateConflict | StorageError>
    /** Tasks that run and have a stored message, at most 1000. */
    readonly waiting: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /** Tasks that have ended and have a stored message, at most 100. */
    readonly adrift: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /** Sends what is stored for an ended task to another task instead. */
    readonly redirect: (from: TaskId, to: TaskId) => Effect.Effect<void, StorageError>
    /** Gives up what is stored for a task that has ended. */
    readonly drop: (taskId: TaskId, reason: string) => Effect.Effect<void, StorageError>
  }
>() {}
