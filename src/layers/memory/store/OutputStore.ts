/** Captured output over the in-memory store: exactly once, capped with the beginning and the end kept. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { OutputChunk, StreamState } from "../../../domain/output/Output.ts"
import { type Append, OutputStore } from "../../../services/OutputStore.ts"
import { reported } from "./BudgetState.ts"
import { observe } from "./LimitState.ts"
import { confirmed } from "./MessageState.ts"
import { askedOver, repliedTo } from "./QuestionState.ts"
import { put, Store, type StoredOutput } from "./Store.ts"

const nothing: StoredOutput = { chunks: [], streams: [], lastSeq: 0 }

const untouched = ({ stream, taskId }: Pick<Append, "stream" | "taskId">, now: number): StreamState => ({
  taskId,
  stream,
  size: 0,
  stored: 0,
  dropped: 0,
  droppedAt: null,
  base: 0,
  emptied: 0,
  since: 0,
  updatedAt: now
})

const endOf = (chunk: OutputChunk): number => chunk.offset + chunk.bytes.length

/** What is left of a chunk when the bytes from `head` to `tail` are dropped; a chunk never has bytes on both sides. */
const cut = (chunk: OutputChunk, head: number, tail: number): ReadonlyArray<OutputChunk> => {
  if (endOf(chunk) <= head || chunk.offset >= tail) return [chunk]
  if (chunk.offset < head) return [{ ...chunk, bytes: chunk.bytes.slice(0, head - chunk.offset) }]
  return endOf(chunk) <= tail ? [] : [{ ...chunk, offset: tail, bytes: chunk.bytes.slice(tail - chunk.offset) }]
}

/** The bytes as chunks, split at the border of the part that is kept permanently. */
const chunksOf = (write: Append, from: number, head: number, seq: number, at: number): ReadonlyArray<OutputChunk> => {
  const fresh = write.bytes.slice(from - write.offset)
  const border = Math.max(0, head - from)
  return [
    { offset: from, bytes: fresh.slice(0, border) },
    { offset: from + border, bytes: fresh.slice(border) }
  ]
    .filter((piece) => piece.bytes.length > 0)
    .map((piece, index) => ({ ...piece, taskId: write.taskId, stream: write.stream, seq: seq + index, at }))
}

const append = (
  output: StoredOutput,
  write: Append,
  cap: number,
  now: number
): readonly [StreamState, StoredOutput] => {
  const known = output.streams.find((stream) => stream.stream === write.stream)
  const before = known ?? untouched(write, now)
  const size = write.offset + write.bytes.length
  if (size <= before.size) return [before, output]
  const head = before.droppedAt ?? Math.floor(cap / 2)
  const tail = Math.max(head, before.droppedAt === null ? 0 : head + before.dropped, size - (cap - Math.floor(cap / 2)))
  const fresh = chunksOf(write, before.size, head, output.lastSeq + 1, now)
  const dropped = tail - head
  const state: StreamState = {
    ...before,
    size,
    stored: size - dropped,
    dropped,
    droppedAt: dropped === 0 ? null : head,
    updatedAt: now
  }
  const chunks = [...output.chunks, ...fresh].flatMap((chunk) =>
    chunk.stream === write.stream && dropped > 0 ? cut(chunk, head, tail) : chunk
  )
  const streams = [...output.streams.filter((stream) => stream.stream !== write.stream), state]
  return [state, { chunks, streams, lastSeq: output.lastSeq + fresh.length }]
}

/** What is kept of the beginning stays, everything behind it goes. */
const skip = (
  output: StoredOutput,
  { stream, taskId, to }: Pick<Append, "stream" | "taskId"> & { readonly to: number },
  cap: number,
  now: number
): readonly [StreamState, StoredOutput] => {
  const before = output.streams.find((known) => known.stream === stream) ?? untouched({ stream, taskId }, now)
  const head = before.droppedAt ?? Math.floor(cap / 2)
  if (to <= before.size || before.size < head) return [before, output]
  const state = { ...before, size: to, stored: head, dropped: to - head, droppedAt: head, updatedAt: now }
  const chunks = output.chunks.flatMap((chunk) => (chunk.stream === stream ? cut(chunk, head, to) : chunk))
  return [state, { ...output, chunks, streams: [...output.streams.filter((known) => known.stream !== stream), state] }]
}

const make = Effect.gen(function* () {
  const store = yield* Store

  return OutputStore.of({
    append: Effect.fn("OutputStore.append")(function* (write, { cap }) {
      const stored = yield* store.read((state) =>
        state.output.get(write.taskId)?.streams.find((stream) => stream.stream === write.stream)
      )
      if (write.offset > (stored?.size ?? 0)) {
        return yield* Effect.dieMessage(`a gap in ${write.stream} of ${write.taskId} before ${write.offset}`)
      }
      return yield* store.write((state, now) => {
        const [after, output] = append(state.output.get(write.taskId) ?? nothing, write, cap, now)
        const next = { ...state, output: put(state.output, write.taskId, output) }
        const fresh = after.size > (stored?.size ?? 0)
        if (!fresh) return Either.right([after, next] as const)
        const told = confirmed(next, write.taskId, write.taken ?? [], now)
        const asked = repliedTo(
          askedOver(told, write.taskId, write.asked ?? [], now),
          write.taskId,
          write.replied ?? []
        )
        const observed = observe(asked, write.taskId, write.signals ?? [], now)
        return Either.right([after, reported(observed, write.taskId, write.use, now)] as const)
      })
    }),

    skip: (position, { cap }) =>
      store.write((state, now) => {
        const [after, output] = skip(state.output.get(position.taskId) ?? nothing, position, cap, now)
        return Either.right([after, { ...state, output: put(state.output, position.taskId, output) }] as const)
      }),

    restart: ({ at, ...one }) =>
      store.write((state, now) => {
        const output = state.output.get(one.taskId) ?? nothing
        const before = output.streams.find((known) => known.stream === one.stream) ?? untouched(one, now)
        if (before.size !== at) return Either.right([before, state] as const)
        const after = { ...before, base: at, emptied: before.emptied + 1, updatedAt: now }
        const streams = [...output.streams.filter((known) => known.stream !== one.stream), after]
        return Either.right([
          after,
          { ...state, output: put(state.output, one.taskId, { ...output, streams }) }
        ] as const)
      }),

    streams: (taskId) => store.read((state) => state.output.get(taskId)?.streams ?? []),

    read: ({ after, limit, stream, taskId }) =>
      store.read((state) =>
        (state.output.get(taskId)?.chunks ?? [])
          .filter((chunk) => chunk.seq > after && (stream === null || chunk.stream === stream))
          .slice(0, limit)
      ),

    readBack: ({ before, limit, stream, taskId }) =>
      store.read((state) =>
        (state.output.get(taskId)?.chunks ?? [])
          .filter((chunk) => (before === null || chunk.seq < before) && (stream === null || chunk.stream === stream))
          .reverse()
          .slice(0, limit)
      )
  })
})

export const layer = Layer.effect(OutputStore, make)
