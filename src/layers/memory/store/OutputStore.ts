/** Captured output in memory: which bytes are kept is decided in `domain`. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { Gap } from "../../../domain/output/Gap.ts"
import { emptiedAt, gapAfter, gapTo, grown, headOf, outside, pieces, untouched } from "../../../domain/output/Gap.ts"
import type { OutputChunk, StreamName, StreamState } from "../../../domain/output/Output.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import { OutputStore } from "../../../services/OutputStore.ts"
import { type State, Store, type StoredOutput } from "./State.ts"

type One = Pick<StreamState, "stream" | "taskId">

const outputOf = (state: State, { taskId }: Pick<One, "taskId">): StoredOutput =>
  state.output.get(taskId) ?? { chunks: [], streams: [] }

const standing = (state: State, one: One, now: number): StreamState =>
  outputOf(state, one).streams.find(({ stream }) => stream === one.stream) ?? untouched(one, now)

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

  const chunks = ({ stream, taskId }: { readonly taskId: TaskId; readonly stream: StreamName | null }) =>
    store.read((state) =>
      outputOf(state, { taskId }).chunks.filter((chunk) => stream === null || chunk.stream === stream)
    )

  return OutputStore.of({
    append: (write, { cap }) =>
      store
        .write((draft, now) => {
          const { bytes, offset, stream, taskId } = write
          const before = standing(draft, write, now)
          const size = offset + bytes.length
          if (offset > before.size) return Either.left(`bytes from ${offset}: ${before.size} are captured`)
          if (size <= before.size) return Either.right(before)
          const head = before.droppedAt ?? headOf(cap)
          const gap = gapAfter(before, { size, cap, head })
          const last = outputOf(draft, write).chunks.at(-1)?.seq ?? 0
          const fresh = pieces({ from: before.size, to: size, head, gap }).map(({ from, to }, at) => {
            const part = bytes.slice(from - offset, to - offset)
            return { taskId, stream, seq: last + 1 + at, offset: from, bytes: part, at: now }
          })
          return save(draft, grown(before, size, gap, now), gap, fresh)
        })
        .pipe(Effect.catchAll((problem) => Effect.dieMessage(problem))),

    skip: ({ to, ...one }, { cap }) =>
      store.write((draft, now) => {
        const before = standing(draft, one, now)
        const gap = gapTo(before, before.droppedAt ?? headOf(cap), to)
        return gap === null ? Either.right(before) : save(draft, grown(before, to, gap, now), gap)
      }),

    restart: ({ at, ...one }) =>
      store.write((draft, now) => {
        const before = standing(draft, one, now)
        const after = emptiedAt(before, at, now)
        return after === before ? Either.right(before) : save(draft, after, null)
      }),

    streams: (taskId) => store.read((state) => outputOf(state, { taskId }).streams),

    read: ({ after, limit, ...of }) =>
      Effect.map(chunks(of), (all) => all.filter(({ seq }) => seq > after).slice(0, limit)),

    readBack: ({ before, limit, ...of }) =>
      Effect.map(chunks(of), (all) =>
        all
          .filter(({ seq }) => seq < (before ?? Number.POSITIVE_INFINITY))
          .toReversed()
          .slice(0, limit)
      )
  })
})

export const layer = Layer.effect(OutputStore, make)
