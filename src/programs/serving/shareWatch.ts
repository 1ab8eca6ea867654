/** Makes the watch that all waits of a process share. It works for as long as there is a wait. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as RcRef from "effect/RcRef"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import { EndWatch, type NextEnd } from "../../services/EndWatch.ts"
import { Tasks } from "../../services/Tasks.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import { makeWatch } from "../watch.ts"
import { ensureWorkerRuns } from "../worker/ensureWorker.ts"

type Tell = (problem: WorkerUnavailable | StorageError) => Effect.Effect<void>

/** After an error that did not pass, this long until the next look. */
const pause = "1 second"

/** Returns with the next end in this process, which the version of the store does not report. */
const ownEnds = Effect.gen(function* () {
  const events = yield* Effect.serviceOption(TerminalEvents)
  if (Option.isNone(events)) return Effect.never
  const ends = yield* events.value.subscribe
  const wake = yield* Queue.sliding<void>(1)
  yield* Stream.runForEach(ends, () => Queue.offer(wake, undefined)).pipe(Effect.forkScoped)
  return Queue.take(wake)
})

export const shareWatch = Effect.gen(function* () {
  const tasks = yield* Tasks
  const newest = yield* Ref.make(0)
  const signal = yield* Ref.make(yield* Deferred.make<void, StorageError>())
  const listeners = new Set<Tell>()

  /** Wakes every wait. */
  const wakeAll = (using: (waiting: Deferred.Deferred<void, StorageError>) => Effect.Effect<boolean>) =>
    Effect.gen(function* () {
      const next = yield* Deferred.make<void, StorageError>()
      yield* using(yield* Ref.getAndSet(signal, next))
    })

  const look = Effect.gen(function* () {
    const seq = yield* tasks.lastEvent
    if (seq <= (yield* Ref.get(newest))) return
    yield* Ref.set(newest, seq)
    yield* wakeAll((waiting) => Deferred.succeed(waiting, undefined))
  })

  const rounds = Effect.gen(function* () {
    const { until } = yield* makeWatch(yield* ownEnds)
    return yield* until(look, () => false)
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => wakeAll((waiting) => Deferred.fail(waiting, error))),
    Effect.zipRight(Effect.sleep(pause)),
    Effect.forever
  )

  const served = ensureWorkerRuns({
    justLaunched: false,
    onTrouble: (problem) => Effect.forEach(listeners, (tell) => tell(problem), { discard: true })
  })

  const work = yield* RcRef.make({
    acquire: Effect.zipRight(Effect.forkScoped(served), Effect.forkScoped(rounds))
  })

  const next: NextEnd = Effect.fn("EndWatch.next")(function* (seen) {
    while (true) {
      // The signal is read before the number: an end between the two is then seen.
      const waiting = yield* Ref.get(signal)
      const seq = yield* Ref.get(newest)
      if (seq > seen) return seq
      yield* Deferred.await(waiting)
    }
  })

  return EndWatch.of({
    watch: (onTrouble) =>
      Effect.gen(function* () {
        // A separate callback for each wait, also where two pass the same one.
        const tell: Tell = (problem) => onTrouble(problem)
        yield* Effect.acquireRelease(
          Effect.sync(() => listeners.add(tell)),
          () => Effect.sync(() => listeners.delete(tell))
        )
        yield* RcRef.get(work)
        return next
      })
  })
})
