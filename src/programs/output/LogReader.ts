/** Readers that wait at the end of a page, so that the next page costs what it holds and not the whole log before it. */
import type { StreamName } from "../../domain/output/Output.ts"
import type { OutputStore } from "../../services/OutputStore.ts"
import type * as Render from "../../text/Render.ts"

/** A renderer, and how far it has been shown the output. */
export interface LogReader {
  readonly render: Render.Render
  /** The chunk that it was shown last, and where in the stream that ended; -1 before the first. */
  seq: number
  shownTo: number
  /** Lines that were rendered and had no room on the page. */
  held: {
    readonly lines: ReadonlyArray<string>
    readonly stream: StreamName
    /** The position in the stream after these lines; null for an unfinished line. */
    readonly end: number | null
  } | null
}

/** Readers kept for each store. A client reads few logs at a time, and a page without its reader is only slower. */
const kept = 16

const byStore = new WeakMap<OutputStore["Type"], Map<string, LogReader>>()

/** Puts a reader aside under the place that the next page names; the oldest one makes room. */
export const keepReader = (store: OutputStore["Type"], place: string, reader: LogReader): void => {
  const readers = byStore.get(store) ?? new Map<string, LogReader>()
  byStore.set(store, readers)
  readers.delete(place)
  readers.set(place, reader)
  for (const oldest of readers.keys()) {
    if (readers.size <= kept) break
    readers.delete(oldest)
  }
}

/** The reader that waits at a place. It moves on from there, so the next reader at the same place is a new one. */
export const takeReader = (store: OutputStore["Type"], place: string): LogReader | null => {
  const readers = byStore.get(store)
  const reader = readers?.get(place) ?? null
  readers?.delete(place)
  return reader
}
