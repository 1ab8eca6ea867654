/** The message for a stream whose writer truncated its own file. */
import type { StreamState } from "../domain/output/Output.ts"

export const emptiedWords = (streams: ReadonlyArray<StreamState>): ReadonlyArray<string> =>
  streams.flatMap(({ base, emptied, stream }) =>
    emptied === 0
      ? []
      : [
          `its own writer emptied ${stream} ${emptied === 1 ? "once" : `${emptied} times`}, last after ${base} bytes: what it printed just before may be missing`
        ]
  )
