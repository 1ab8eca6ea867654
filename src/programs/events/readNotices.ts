/** Reads the notices from a number on, to the present end or for as long as its caller wants. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { StorageError } from "../../domain/Errors.ts"
import { type Notice, type Reset, resetOf } from "../../domain/events/Notice.ts"
import { Notices } from "../../services/Notices.ts"
import { Tasks } from "../../services/Tasks.ts"
import { nextChange, retryWhileBusy } from "../nextChange.ts"

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
      const tasks = yield* Tasks
      const notices = yield* Notices
      // Before the first read: what is committed after it wakes the reader.
      let version = yield* retryWhileBusy(tasks.version)

      const missed = (after: number) => Effect.map(retryWhileBusy(notices.bounds), (bounds) => resetOf(after, bounds))

      const next = (
        after: number
      ): Effect.Effect<Option.Option<readonly [Chunk.Chunk<Notice | Reset>, number]>, StorageError, Tasks> =>
        Effect.gen(function* () {
          while (true) {
            const found = yield* retryWhileBusy(notices.after(after, batch))
            const [first] = found
            const last = found.at(-1)
            if (first !== undefined && last !== undefined) {
              // They have no gaps, so one before the first means that the reader was too slow, or its number too old.
              const reset = first.seq === after + 1 ? null : yield* missed(after)
              const items = reset === null ? found : [reset, ...found]
              return Option.some([Chunk.fromIterable<Notice | Reset>(items), last.seq] as const)
            }
            const reset = yield* missed(after)
            if (reset !== null) {
              return Option.some([Chunk.of<Notice | Reset>(reset), reset.oldest - 1] as const)
            }
            if (!options.follow) return Option.none()
            version = yield* nextChange(version)
          }
        })

      if (options.after !== null) return Stream.unfoldChunkEffect(options.after, next)
      const { newest, oldest } = yield* retryWhileBusy(notices.bounds)
      return Stream.unfoldChunkEffect(Math.max(oldest - 1, newest - options.last), next)
    })
  )
