/** What an agent printed: bytes, in order, with what was dropped from the middle on record. */
import * as Schema from "effect/Schema"
import { ByteCount, TaskId, Timestamp } from "../task/Task.ts"

export const StreamName = Schema.Literal("stdout", "stderr")
export type StreamName = typeof StreamName.Type

/** A run of bytes of one stream. In JSON the bytes are base64. */
export const OutputChunk = Schema.Struct({
  taskId: TaskId,
  /** Order of capture within the task, over both streams. Numbers may be missing where output was dropped. */
  seq: Schema.Int,
  stream: StreamName,
  /** Position of the first byte in the stream as the agent printed it. */
  offset: ByteCount,
  bytes: Schema.Uint8ArrayFromBase64,
  at: Timestamp
}).annotations({ identifier: "OutputChunk" })
export type OutputChunk = typeof OutputChunk.Type

/** How much of a stream was captured. `size = stored + dropped`. */
export const StreamState = Schema.Struct({
  taskId: TaskId,
  stream: StreamName,
  /** Bytes captured so far, which is also the offset at which capture continues. */
  size: ByteCount,
  stored: ByteCount,
  dropped: ByteCount,
  /** Where the dropped bytes began; null when none were. */
  droppedAt: Schema.NullOr(ByteCount),
  /** The position at which the spool file of the stream begins: above 0 once its own writer has emptied it. */
  base: ByteCount,
  /** How often its own writer emptied it (`> /dev/stdout`): what it printed before the last look is kept. */
  emptied: Schema.Int.pipe(Schema.nonNegative()),
  /** Where the output of the present claim begins: above 0 after the task was parked. What is before it judges nothing. */
  since: ByteCount,
  /** The last capture. */
  updatedAt: Timestamp
}).annotations({ identifier: "StreamState" })
export type StreamState = typeof StreamState.Type
