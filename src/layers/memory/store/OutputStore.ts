/** Captured output in memory: which bytes are kept is decided in `domain`. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { OutputChunk, StreamState } from "../../../domain/output/Output.ts"
import { emptiedAt, type Gap, gapAfter, gapTo, grown, pieces, untouched } from "../../../domain/output/retention.ts"
import { OutputStore } from "../../../services/OutputStore.ts"
import { type State, Store, type StoredOutput } from "./State.ts"

type One = Pick<StreamState, "stream" | "taskId">

const outputOf = (state: State, { taskId }: Pick<One, "taskId">): StoredOutput =>
  state.output.get(taskId) ?? { chunks: [], streams: [] }

const standing = (state: State, one: One, now: number): StreamState =>
  outputOf(state, one).streams.find(({ stream }) => stream === one.stream) ?? untouched(one, now)

/** What is left of a chunk outside of a gap; a chunk never has bytes on both sides of it. */
const outside = (chunk: OutputChunk, { from, to }: Gap): ReadonlyArray<OutputChunk> => {
  const { bytes, offset } = chunk
  if (offset + bytes.length <= from || offset >= to) return [chunk]
  if (offset < from) return [{ ...chunk, bytes: bytes.slice(0, from - offset) }]
  return offset + bytes.length <= to ? [] : [{ ...chunk, offset: to, bytes: bytes.slice(to - offset) }]
}

/** Stores the stream as it is after a step, and new chunks of it. */
const save = (draft: State, after: StreamState, gap: Gap | null, fresh: ReadonlyArray<OutputChunk> = []) => {
  const { chunks, streams } = outputOf(draft, after)
  const isOther = ({ stream }: { readonly stream: string }) => stream !== after.stream
  draft.output.set(after.taskId, {
    chunks: [...chunks, ...fresh].flatMap((chunk) => (gap === null || isOther(chunk) ? [chunk] : outside(chunk, gap))),
    streams: [...streams.filter(isOther), after]
  })
  return Either.right(after)
}

const make = Effect.gen(function* () {
  const store = yield* Store

  return OutputStore.of({
    append: (write, { cap }) =>
      Effect.flatten(
        store.write((draft, now) => {
          const { bytes, offset, stream, taskId } = write
          const before = standing(draft, write, now)
          const size = offset + bytes.length
          if (offset > before.size) {
            return Either.right(Effect.dieMessage(`bytes from ${offset}: ${before.size} are captured`))
          }
          if (size <= before.size) return Either.right(Effect.succeed(before))
          const head = before.droppedAt ?? Math.floor(cap / 2)
          const gap = gapAfter(before, { size, cap, head })
          const last = outputOf(draft, write).chunks.at(-1)?.seq ?? 0
          const fresh = pieces({ from: before.size, to: size, head, gap }).map(({ from, to }, at) => {
            const part = bytes.slice(from - offset, to - offset)
            return { taskId, stream, seq: last + 1 + at, offset: from, bytes: part, at: now }
          })
          return Either.map(save(draft, grown(before, size, gap, now), gap, fresh), (after) => Effect.succeed(after))
        })
      ),

    skip: ({ to, ...one }, { cap }) =>
      store.write((draft, now) => {
        const before = standing(draft, one, now)
        const gap = gapTo(before, before.droppedAt ?? Math.floor(cap / 2), to)
        return gap === null ? Either.right(before) : save(draft, grown(before, to, gap, now), gap)
      }),

    restart: ({ at, ...one }) =>
      store.write((draft, now) => {
        const before = standing(draft, one, now)
        const after = emptiedAt(before, at, now)
        return after === before ? Either.right(before) : save(draft, after, null)
      }),

    streams: (taskId) => store.read((state) => outputOf(state, { taskId }).streams),

    read: ({ after, limit, stream, taskId }) =>
      store.read((state) =>
        outputOf(state, { taskId })
          .chunks.filter((chunk) => chunk.seq > after && (stream === null || chunk.stream === stream))
          .slice(0, limit)
      ),

    readBack: ({ before, limit, stream, taskId }) =>
      store.read((state) =>
        outputOf(state, { taskId })
          .chunks.filter((chunk) => chunk.seq < (before ?? Number.POSITIVE_INFINITY))
          .filter((chunk) => stream === null || chunk.stream === stream)
          .toReversed()
          .slice(0, limit)
      )
  })
})

export const layer = Layer.effect(OutputStore, make)
