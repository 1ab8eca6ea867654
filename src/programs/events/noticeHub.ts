/** One reader of the notices for any number of listeners: each commit costs one query, however many listen. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { StorageError } from "../../domain/Errors.ts"
import { type Notice, type Reset, resetOf } from "../../domain/events/Notice.ts"
import { CommitNotifier } from "../../services/CommitNotifier.ts"
import { Notices } from "../../services/Notices.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { attempt } from "../retryWhileStorageFails.ts"

/** The newest notices, which most listeners need and nothing else. */
const recentNotices = 1000

const batch = 500

/** The hub does not depend on reports of commits: it reads after this time in any case. */
const rescanMs = 2000

export interface NoticeHub {
  /** What comes after a number, without a gap and without an end; where that is impossible, a `Reset` first. */
  readonly after: (seq: number) => Stream.Stream<Notice | Reset, StorageError>
  readonly newest: Effect.Effect<number, StorageError>
  /** Fails once the database was removed or replaced: no notice comes after that. */
  readonly lost: Effect.Effect<never, StorageError>
}

/** Reads for as long as its scope is open. */
export const noticeHub = Effect.gen(function* () {
  const notices = yield* Notices
  const commits = yield* CommitNotifier
  const bounds = retryWhileBusy(notices.bounds)
  let newest = (yield* bounds).newest
  let recent: ReadonlyArray<Notice> = []
  let bell = Deferred.unsafeMake<void>(yield* Effect.fiberId)

  const look: Effect.Effect<void, StorageError> = Effect.gen(function* () {
    const found = yield* retryWhileBusy(notices.after(newest, batch))
    const last = found.at(-1)
    if (last === undefined) {
      // A database that was put in the place of this one counts from its own beginning.
      const { newest: present } = yield* bounds
      if (present >= newest) return
      newest = present
      recent = []
    } else {
      newest = last.seq
      recent = [...recent, ...found].slice(-recentNotices)
    }
    const rung = bell
    bell = yield* Deferred.make<void>()
    yield* Deferred.succeed(rung, undefined)
    if (found.length === batch) yield* look
  })

  const lost = yield* Deferred.make<never, StorageError>()
  const told = new Set<string>()
  const round = Effect.catchIf(
    look,
    ({ reason }) => reason === "moved",
    (error) => Deferred.fail(lost, error)
  )
  yield* attempt(told, Effect.asVoid(round), undefined).pipe(
    Effect.zipRight(commits.changed(rescanMs)),
    Effect.forever,
    Effect.forkScoped
  )

  const next = (seq: number): Effect.Effect<ReadonlyArray<Notice | Reset>, StorageError> =>
    Effect.gen(function* () {
      while (true) {
        const heard = bell
        if (seq > newest) {
          // Committed between two looks of the hub, or of another database.
          const reset = resetOf(seq, yield* bounds)
          if (reset !== null) return [reset]
        } else if (seq < newest) {
          const [first] = recent
          if (first !== undefined && first.seq <= seq + 1) return recent.filter((notice) => notice.seq > seq)
          const found = yield* retryWhileBusy(notices.after(seq, batch))
          const reset = found[0]?.seq === seq + 1 ? null : resetOf(seq, yield* bounds)
          if (reset !== null) return [reset, ...found]
          if (found.length > 0) return found
        }
        yield* Deferred.await(heard)
      }
    })

  const hub: NoticeHub = {
    after: (seq) =>
      Stream.unfoldEffect(seq, (from) =>
        Effect.map(next(from), (items) => {
          const last = items.at(-1)
          const reached = last === undefined ? from : last.kind === "reset" ? last.newest : last.seq
          return [items, reached] as const
        }).pipe(Effect.asSome)
      ).pipe(Stream.flattenIterables),
    newest: Effect.sync(() => newest),
    lost: Deferred.await(lost)
  }
  return hub
})
