/** What agents printed: appended while it is captured, readable from any process, capped with the beginning and end kept. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { StoredSignal } from "../domain/limits/Signal.ts"
import type { MessageId } from "../domain/message/Message.ts"
import type { OutputChunk, StreamName, StreamState } from "../domain/output/Output.ts"
import type { AgentRequest, Answer } from "../domain/questions/AgentRequest.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { LiveUse } from "../domain/usage/ModelUse.ts"

/** What an agent has asked over its stream, and the answer of the rules; null: a person answers. */
export interface AskedOver {
  readonly request: AgentRequest
  readonly ruled: Answer | null
}

export interface Append {
  readonly taskId: TaskId
  readonly stream: StreamName
  /** Where these bytes begin in the stream. */
  readonly offset: number
  /** At most 4 MB. */
  readonly bytes: Uint8Array
  /** What these bytes say of the limits of the task's account: stored with them, and like them once. */
  readonly signals?: ReadonlyArray<StoredSignal>
  /** Messages that these bytes prove the agent to have taken. */
  readonly taken?: ReadonlyArray<MessageId>
  /** What these bytes ask: questions to a person are open from the commit on. */
  readonly asked?: ReadonlyArray<AskedOver>
  /** Ids of requests whose answer these bytes prove the agent to have. */
  readonly replied?: ReadonlyArray<string>
  /** What these bytes say the agent has used: counted with them, and like them once. */
  readonly use?: LiveUse
}

export class OutputStore extends Context.Tag("backbeat/OutputStore")<
  OutputStore,
  {
    /**
     * Stores bytes and advances the stream's size in one transaction, exactly once: bytes before the stored size are
     * skipped, a gap after it is refused with a defect. Past `cap` bytes (of one stream) the middle is dropped: the first
     * `floor(cap / 2)` bytes and the last `cap - floor(cap / 2)` stay, exactly. Returns the state of the stream after it.
     */
    readonly append: (write: Append, options: { readonly cap: number }) => Effect.Effect<StreamState, StorageError>
    /**
     * Records that the stream has grown to `to` bytes and that those not stored yet are dropped: for a capture so far
     * behind that they would be dropped anyway. It changes nothing unless the beginning is stored and `to` lies ahead.
     * What is kept of the end then begins at `to`. Returns the state of the stream after it.
     */
    readonly skip: (
      position: { readonly taskId: TaskId; readonly stream: StreamName; readonly to: number },
      options: { readonly cap: number }
    ) => Effect.Effect<StreamState, StorageError>
    /**
     * Records that the agent has emptied the file of a stream: what is captured from now on begins in it at 0. It changes
     * nothing where `at` is not the stored size. Returns the state of the stream after it.
     */
    readonly restart: (position: {
      readonly taskId: TaskId
      readonly stream: StreamName
      readonly at: number
    }) => Effect.Effect<StreamState, StorageError>
    /** The captured streams of a task; a stream that printed nothing may be missing. */
    readonly streams: (taskId: TaskId) => Effect.Effect<ReadonlyArray<StreamState>, StorageError>
    /** Chunks with `seq` above `after`, in order of capture, at most `limit` (1 to 1000); of one stream or both. */
    readonly read: (options: {
      readonly taskId: TaskId
      readonly stream: StreamName | null
      readonly after: number
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<OutputChunk>, StorageError>
    /** The same backwards: chunks with `seq` below `before` (null: from the end), newest first. */
    readonly readBack: (options: {
      readonly taskId: TaskId
      readonly stream: StreamName | null
      readonly before: number | null
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<OutputChunk>, StorageError>
  }
>() {}
