/** Waits for ends since a cursor: a caller that passes the cursor back misses no end and sees none twice. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { TaskId } from "../../domain/task/Task.ts"
import type { TaskEnded } from "../../domain/task/TerminalEvent.ts"
import { Tasks } from "../../services/Tasks.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import { nextChange, retryWhileBusy } from "../changes.ts"
import { type EnsureWorkerOptions, whileWorkerRuns } from "../worker/ensureWorker.ts"

/** The most ends in one answer; the next call returns the others. */
export const endsAtOnce = 20

export interface AwaitOptions extends EnsureWorkerOptions {
  /** The `seq` of the last end that was seen; 0 is none. */
  readonly cursor: number
  /** Return when every task has ended, not with the first end. */
  readonly all: boolean
  readonly timeoutMs: number
  /** Ends the wait early, as if the time were over. */
  readonly enough: Effect.Effect<void>
}

export interface Ends {
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

/** How things stand: one read of the outbox, so that an end is either before the new cursor or after it. */
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
  const ended = fresh.slice(0, endsAtOnce)
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

/** Returns with the next end in this process, which the version of the store does not report. */
const ownEnds = Effect.gen(function* () {
  const events = yield* Effect.serviceOption(TerminalEvents)
  if (Option.isNone(events)) return Effect.never
  const ends = yield* events.value.subscribe
  const wake = yield* Queue.sliding<void>(1)
  yield* Stream.runForEach(ends, () => Queue.offer(wake, undefined)).pipe(Effect.forkScoped)
  return Queue.take(wake)
})

/** Every id has to exist. */
export const awaitEnds = Effect.fn("awaitEnds")(function* (given: ReadonlyArray<TaskId>, options: AwaitOptions) {
  const tasks = yield* Tasks
  const ids = Array.from(new Set(given))
  // The version is read before the rows: a commit between the two is then seen as a change, never missed.
  let version = yield* retryWhileBusy(tasks.version)
  const first = yield* look(ids, options)
  if (!first.timedOut || options.timeoutMs <= 0) return first

  const over = yield* Deferred.make<void>()
  const clock = yield* Effect.sleep(options.timeoutMs).pipe(
    Effect.raceFirst(options.enough),
    Effect.zipRight(Deferred.succeed(over, undefined)),
    Effect.fork
  )
  const wake = yield* ownEnds
  const rounds = Effect.gen(function* () {
    while (true) {
      version = yield* Effect.raceFirst(nextChange(version), Effect.as(wake, version))
      const now = yield* look(ids, options)
      if (!now.timedOut) return now
    }
  })
  return yield* whileWorkerRuns(rounds, options).pipe(
    Effect.raceFirst(Effect.zipRight(Deferred.await(over), look(ids, options))),
    Effect.ensuring(Fiber.interruptFork(clock))
  )
}, Effect.scoped)
