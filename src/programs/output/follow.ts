/** Reads what an agent printed, from any process, while it prints and after. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { StorageError, TaskNotFound } from "../../domain/Errors.ts"
import type { OutputChunk, StreamName } from "../../domain/output/Output.ts"
import { isTerminal, type TaskId } from "../../domain/task/Task.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { makeWatch } from "../watch.ts"

/** Chunks in one read: bounds the memory of a reader that is slower than the agent. */
const batch = 16

interface FollowOptions {
  /** Null: both, in order of capture. */
  readonly stream: StreamName | null
  /** Chunks above this number. */
  readonly after: number
  /** Continue until the task has ended and everything is read; false: stop at the present end. */
  readonly follow: boolean
}

interface Position {
  readonly after: number
  /** The end of the task was seen before the last read, so what that read finds is the last. */
  readonly ended: boolean
}

/** Chunks in order of capture. Where numbers or offsets jump, output was dropped. */
export const follow = (
  taskId: TaskId,
  options: FollowOptions
): Stream.Stream<OutputChunk, TaskNotFound | StorageError, Tasks | OutputStore> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const output = yield* OutputStore
      const { until } = yield* makeWatch()

      const next = Effect.fnUntraced(function* (position: Position) {
        let { ended } = position
        /** After the end of the task is seen, one more read finds what was printed before it. */
        const look = Effect.gen(function* () {
          while (true) {
            const chunks = yield* output.read({ taskId, stream: options.stream, after: position.after, limit: batch })
            if (chunks.length > 0 || ended || !options.follow) return chunks
            ended = isTerminal((yield* tasks.summary(taskId)).status)
            if (!ended) return chunks
          }
        })
        const chunks = yield* until(look, (found) => found.length > 0 || ended || !options.follow)
        const last = chunks.at(-1)
        if (last === undefined) return Option.none()
        return Option.some([Chunk.fromIterable(chunks), { after: last.seq, ended }] as const)
      })
      return Stream.unfoldChunkEffect({ after: options.after, ended: false }, next)
    })
  )

/** Reads backwards until `enough` says so: the newest chunks, oldest first, and whether they reach back to the start. */
export const readTail = Effect.fn("readTail")(function* (
  taskId: TaskId,
  options: {
    readonly stream: StreamName | null
    /** Only chunks below this number; not given: from the end. */
    readonly before?: number
    /** Asked after each batch, with what has been read so far, newest first. */
    readonly enough: (newestFirst: ReadonlyArray<OutputChunk>) => boolean
  }
) {
  const output = yield* OutputStore
  const newestFirst: Array<OutputChunk> = []
  let complete = false
  while (!complete && !options.enough(newestFirst)) {
    const chunks = yield* retryWhileBusy(
      output.readBack({
        taskId,
        stream: options.stream,
        before: newestFirst.at(-1)?.seq ?? options.before ?? null,
        limit: batch
      })
    )
    newestFirst.push(...chunks)
    complete = chunks.length < batch
  }
  return { chunks: newestFirst.toReversed(), complete }
})
