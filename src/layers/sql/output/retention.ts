/** Which bytes of a stream are kept: its beginning and its end, with one gap between them. */
import type { StreamState } from "../../../domain/output/Output.ts"

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
  const keptEnd = cap - Math.floor(cap / 2)
  const settled = before.droppedAt === null ? head : before.droppedAt + before.dropped
  const to = Math.max(settled, size > cap ? size - keptEnd : head)
  return to > head ? { from: head, to } : null
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
