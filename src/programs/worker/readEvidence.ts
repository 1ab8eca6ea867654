/** The stored output of an ended task as lines, bounded, for its agent's verdict. */
import * as Effect from "effect/Effect"
import type { OutputChunk, StreamName, StreamState } from "../../domain/output/Output.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { OutputStore } from "../../services/OutputStore.ts"

const maxLine = 4 * 1024 * 1024

/** How much of a stream is looked at: its beginning and its end. */
const window = {
  stdout: { head: 256 * 1024, tail: 4 * 1024 * 1024 },
  stderr: { head: 16 * 1024, tail: 256 * 1024 }
} as const

/** Lines taken of each run of bytes, its last ones: short lines would cost many times their bytes. */
const maxLines = 20_000

const page = 16

const decoder = new TextDecoder()

interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Contiguous runs of bytes, in order. */
const runs = (pieces: ReadonlyArray<Piece>): ReadonlyArray<{ readonly offset: number; readonly bytes: Uint8Array }> => {
  const groups: Array<{ offset: number; end: number; parts: Array<Uint8Array> }> = []
  for (const piece of pieces) {
    const last = groups.at(-1)
    if (last !== undefined && last.end === piece.offset) {
      last.parts.push(piece.bytes)
      last.end += piece.bytes.length
    } else {
      groups.push({ offset: piece.offset, end: piece.offset + piece.bytes.length, parts: [piece.bytes] })
    }
  }
  return groups.map(({ offset, end, parts }) => {
    const bytes = new Uint8Array(end - offset)
    let position = 0
    for (const part of parts) {
      bytes.set(part, position)
      position += part.length
    }
    return { offset, bytes }
  })
}

/** Where the last `maxLines` lines begin, at `from` at the earliest. */
const lastLines = (bytes: Uint8Array, from: number): number => {
  let start = bytes.length
  for (let count = 0; count <= maxLines; count++) {
    if (start <= from) return from
    start = bytes.lastIndexOf(10, start - 1)
  }
  return Math.max(from, start + 1)
}

/**
 * Whole lines of the pieces of one stream of `size` bytes, which begins at `since`. A line that a gap cut, or that is over 4 MB, is left out; the
 * last line counts without a newline too.
 */
export const linesOf = (pieces: ReadonlyArray<Piece>, size: number, since = 0): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const run of runs(pieces)) {
    let start = 0
    if (run.offset > since) {
      const first = run.bytes.indexOf(10)
      start = first === -1 ? run.bytes.length : first + 1
    }
    start = lastLines(run.bytes, start)
    while (start < run.bytes.length) {
      const newline = run.bytes.indexOf(10, start)
      const end = newline === -1 ? run.bytes.length : newline
      const whole = newline !== -1 || run.offset + run.bytes.length === size
      if (whole && end - start <= maxLine) {
        lines.push(decoder.decode(run.bytes.subarray(start, end)).replace(/\r$/, ""))
      }
      start = end + 1
    }
  }
  return lines
}

/** What is printed before a park belongs to an earlier claim. */
const sinceOf = (chunks: ReadonlyArray<OutputChunk>, since: number): ReadonlyArray<OutputChunk> =>
  since === 0
    ? chunks
    : chunks.flatMap((chunk) => {
        const before = Math.max(0, since - chunk.offset)
        if (before >= chunk.bytes.length) return []
        return [{ ...chunk, offset: chunk.offset + before, bytes: chunk.bytes.subarray(before) }]
      })

const readStream = Effect.fn("evidence.readStream")(function* (taskId: TaskId, state: StreamState) {
  const store = yield* OutputStore
  const bound = window[state.stream]

  const head: Array<OutputChunk> = []
  let taken = 0
  let last = -1
  while (taken < bound.head) {
    const chunks = yield* store.read({ taskId, stream: state.stream, after: last, limit: page })
    const own = sinceOf(chunks, state.since)
    head.push(...own)
    taken += own.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
    last = chunks.at(-1)?.seq ?? last
    if (chunks.length < page) return linesOf(head, state.size, state.since)
  }

  const tail: Array<OutputChunk> = []
  const newest = head.at(-1)?.seq ?? -1
  let reached = false
  taken = 0
  while (taken < bound.tail && !reached) {
    const chunks = yield* store.readBack({
      taskId,
      stream: state.stream,
      before: tail.at(-1)?.seq ?? null,
      limit: page
    })
    const fresh = chunks.filter((chunk) => chunk.seq > newest)
    tail.push(...fresh)
    taken += fresh.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
    reached = fresh.length < page
  }
  return linesOf([...head, ...tail.reverse()], state.size, state.since)
})

/** Both streams of a task as the adapter's verdict wants them. */
export const readEvidence = Effect.fn("readEvidence")(function* (taskId: TaskId) {
  const store = yield* OutputStore
  const states = yield* store.streams(taskId)
  const read = (stream: StreamName) => {
    const state = states.find((candidate) => candidate.stream === stream)
    return state === undefined ? Effect.succeed<ReadonlyArray<string>>([]) : readStream(taskId, state)
  }
  return { stdout: yield* read("stdout"), stderr: yield* read("stderr") }
})
