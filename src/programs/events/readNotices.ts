/** Reads the notices from a number on, to the present end or for as long as its caller wants. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { StorageError } from "../../domain/Errors.ts"
import { type Notice, type Reset, resetOf } from "../../domain/events/Notice.ts"
import { Notices } from "../../services/Notices.ts"
import type { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { makeWatch } from "../watch.ts"

/** Notices in one read: bounds the memory of a reader that is slower than the queue. */
const batch = 500

interface ReadOptions {
  /** Notices above this number. Null: the newest `last`. */
  readonly after: number | null
  readonly last: number
  /** Wait for more at the end. */
  readonly follow: boolean
}

/** In order and without a gap; where the reader missed something, a `Reset` comes before the next notice. */
export const readNotices = (options: ReadOptions): Stream.Stream<Notice | Reset, StorageError, Notices | Tasks> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const notices = yield* Notices
      // Before the first read: what is committed after it wakes the reader.
      const { until } = yield* makeWatch()

      const missed = (after: number) => Effect.map(retryWhileBusy(notices.bounds), (bounds) => resetOf(after, bounds))

      /** What comes after this number, and the number to read on from; none where there is nothing new. */
      const look = Effect.fnUntraced(function* (after: number) {
        const found = yield* notices.after(after, batch)
        const [first] = found
        const last = found.at(-1)
        if (first !== undefined && last !== undefined) {
          // They have no gaps, so one before the first means that the reader was too slow, or its number too old.
          const reset = first.seq === after + 1 ? null : yield* missed(after)
          const items = reset === null ? found : [reset, ...found]
          return Option.some([Chunk.fromIterable<Notice | Reset>(items), last.seq] as const)
        }
        const reset = yield* missed(after)
        if (reset === null) return Option.none()
        return Option.some([Chunk.of<Notice | Reset>(reset), reset.oldest - 1] as const)
      })
      const next = (after: number) => until(look(after), (found) => Option.isSome(found) || !options.follow)

      if (options.after !== null) return Stream.unfoldChunkEffect(options.after, next)
      const { newest, oldest } = yield* retryWhileBusy(notices.bounds)
      return Stream.unfoldChunkEffect(Math.max(oldest - 1, newest - options.last), next)
    })
  )
