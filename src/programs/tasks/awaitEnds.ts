/** Waits for ends since a cursor: a caller that passes the cursor back misses no end and sees none twice. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import type { TaskEnded } from "../../domain/task/TerminalEvent.ts"
import { EndWatch } from "../../services/EndWatch.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"

/** The most ends in one answer; the next call returns the others. */
const endsPerAnswer = 20

interface AwaitOptions extends Pick<EnsureWorkerOptions, "onTrouble"> {
  /** The `seq` of the last end that was seen; 0 is none. */
  readonly cursor: number
  /** Return when every task has ended, not with the first end. */
  readonly all: boolean
  readonly timeoutMs: number
  /** Ends the wait early, as if the time were over. */
  readonly enough: Effect.Effect<void>
}

interface Ends {
  /** After the cursor, in the order in which they happened. After automatic retries, the end of the latest attempt. */
  readonly ended: ReadonlyArray<TaskEnded>
  /** Tasks that have not ended. */
  readonly pending: ReadonlyArray<TaskId>
  readonly cursor: number
  /** More tasks have ended than one answer holds. */
  readonly more: boolean
  /** The time was over before what was waited for had happened. */
  readonly timedOut: boolean
}

/** The present state: one read of the outbox, so that an end is either before the new cursor or after it. */
const look = Effect.fn("awaitEnds.look")(function* (ids: ReadonlyArray<TaskId>, options: AwaitOptions) {
  const tasks = yield* Tasks
  const ends: Array<TaskEnded> = []
  const pending: Array<TaskId> = []
  let asked = ids
  while (asked.length > 0) {
    const told = yield* retryWhileBusy(tasks.endsOf(asked))
    const over = new Set(told.map(({ id }) => id))
    pending.push(...asked.filter((id) => !over.has(id)))
    ends.push(...told.filter(({ retriedBy }) => retriedBy === null))
    asked = told.flatMap(({ retriedBy }) => retriedBy ?? [])
  }
  ends.sort((left, right) => left.seq - right.seq)
  const fresh = ends.filter(({ seq }) => seq > options.cursor)
  const ended = fresh.slice(0, endsPerAnswer)
  const reached = pending.length === 0 || (!options.all && fresh.length > 0)
  const found: Ends = {
    ended,
    pending,
    cursor: ended.at(-1)?.seq ?? options.cursor,
    more: fresh.length > ended.length,
    timedOut: !reached
  }
  return found
})

/** Every id has to exist. */
export const awaitEnds = Effect.fn("awaitEnds")(function* (given: ReadonlyArray<TaskId>, options: AwaitOptions) {
  const tasks = yield* Tasks
  const watching = yield* EndWatch
  const ids = Array.from(new Set(given))
  // The number is read before the rows: an end between the two is then seen as a new one, never missed.
  let seen = yield* retryWhileBusy(tasks.lastEvent)
  const first = yield* look(ids, options)
  if (!first.timedOut || options.timeoutMs <= 0) return first

  const nextEnd = yield* watching.watch(options.onTrouble)
  const rounds = Effect.gen(function* () {
    while (true) {
      seen = yield* nextEnd(seen)
      const now = yield* look(ids, options)
      if (!now.timedOut) return now
    }
  })
  const over = Effect.raceFirst(Effect.sleep(options.timeoutMs), options.enough)
  return yield* Effect.raceFirst(rounds, Effect.zipRight(over, look(ids, options)))
}, Effect.scoped)
