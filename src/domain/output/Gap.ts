/** Which bytes of a stream are kept: its beginning and its end, with one gap between them. */
import type { OutputChunk, StreamState } from "./Output.ts"

/** Bytes of the kept beginning of a stream that may have `cap` bytes: half of them. */
export const headOf = (cap: number): number => Math.floor(cap / 2)

/** Up to here a stream of this size is dropped, where it has more than `cap` bytes: its end is the other half. */
export const droppedTo = (size: number, cap: number): number => size - (cap - headOf(cap))

/** A run of positions in a stream, `to` not included. */
export interface Gap {
  readonly from: number
  readonly to: number
}

/**
 * The gap of a stream that has grown to `size`. It only ever widens, at its end: where it begins was settled when the
 * first byte was dropped.
 */
export const gapAfter = (
  before: StreamState,
  { cap, head, size }: { readonly size: number; readonly cap: number; readonly head: number }
): Gap | null => {
  const settled = before.droppedAt === null ? head : before.droppedAt + before.dropped
  const to = Math.max(settled, size > cap ? droppedTo(size, cap) : head)
  return to > head ? { from: head, to } : null
}

/** What is left of a chunk outside of a gap; a chunk never has bytes on both sides of it. */
export const outside = (chunk: OutputChunk, { from, to }: Gap): ReadonlyArray<OutputChunk> => {
  const { bytes, offset } = chunk
  if (offset + bytes.length <= from || offset >= to) return [chunk]
  if (offset < from) return [{ ...chunk, bytes: bytes.subarray(0, from - offset) }]
  return offset + bytes.length <= to ? [] : [{ ...chunk, offset: to, bytes: bytes.subarray(to - offset) }]
}

/** The longest row. */
const rowBytes = 64 * 1024

/** The new bytes as runs to store: split where the kept beginning ends, without the gap, none longer than a row. */
export const pieces = ({
  from,
  gap,
  head,
  to
}: {
  readonly from: number
  readonly to: number
  readonly head: number
  readonly gap: Gap | null
}): ReadonlyArray<Gap> => {
  const tail = gap === null ? head : gap.to
  const runs: Array<Gap> = []
  for (const [low, high] of [
    [from, Math.min(to, head)],
    [Math.max(from, tail), to]
  ] as const) {
    for (let start = low; start < high; start += rowBytes) {
      runs.push({ from: start, to: Math.min(high, start + rowBytes) })
    }
  }
  return runs
}

/** A stream of which nothing is captured. */
export const untouched = ({ stream, taskId }: Pick<StreamState, "stream" | "taskId">, now: number): StreamState => ({
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

/** The stream after it has grown to `size`, with this gap in it. */
export const grown = (before: StreamState, size: number, gap: Gap | null, now: number): StreamState => {
  const dropped = gap === null ? 0 : gap.to - gap.from
  return { ...before, size, stored: size - dropped, dropped, droppedAt: gap?.from ?? null, updatedAt: now }
}

/** The gap where everything after the kept beginning is dropped up to `to`; null where that would drop what is stored or kept. */
export const gapTo = (before: StreamState, head: number, to: number): Gap | null =>
  to <= before.size || before.size < head ? null : { from: head, to }

/** The stream after its own writer has emptied its file at this size; as it was where another size is stored. */
export const emptiedAt = (before: StreamState, at: number, now: number): StreamState =>
  before.size === at ? { ...before, base: at, emptied: before.emptied + 1, updatedAt: now } : before
