/**
 * Makes the watch that all waits of a process share. It works for as long as there is a wait, and a look takes one statement for all
 * of them: a loop for each wait took a core with 500 of them on an idle server.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as RcRef from "effect/RcRef"
import * as Stream from "effect/Stream"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { QuestionId } from "../../domain/questions/Question.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { EndWatch, type Interest, type News } from "../../services/EndWatch.ts"
import { Questions } from "../../services/Questions.ts"
import { Tasks } from "../../services/Tasks.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import { makeOpenWaits, newsFor, type TaskWait, tell } from "../OpenWaits.ts"
import { makeWatch } from "../watch.ts"
import { ensureWorkerRuns } from "../worker/ensureWorker.ts"

type Tell = (problem: WorkerUnavailable | StorageError) => Effect.Effect<void>

/** After an error that did not pass, this long until the next look. */
const pause = "1 second"

/** Waits that begin within this time share their first look. Milliseconds. */
const gatherMs = 60

/** A look comes at least this often, in milliseconds: when a spare task may start changes without a commit. */
const lookEveryMs = 2000

/** A look that takes longer is followed by nine times its length without one, so that looks take at most a tenth of a core. Milliseconds. */
const longMs = 5
const longestRestMs = 1000

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
  const questions = yield* Questions
  const listeners = new Set<Tell>()
  const forTasks = makeOpenWaits<TaskId, TaskWait>()
  const forQuestions = makeOpenWaits<QuestionId, Deferred.Deferred<void, StorageError>>()
  /** Waits for groups, which any end may be that of. */
  const forEnds = new Set<TaskWait>()
  const begun = yield* Queue.sliding<void>(1)

  /** Counts the waits that began: a look that began before one of them was not for it. */
  let registered = 0
  let seen = { mark: "", registered: 0, at: Number.NEGATIVE_INFINITY }

  const lookAtTasks = Effect.gen(function* () {
    const ids = forTasks.keys()
    if (ids.length === 0) return []
    const halts = new Map((yield* tasks.haltsOf(ids)).map((halt) => [halt.id, halt]))
    const touched = new Set(Array.from(halts.keys()).flatMap((id) => Array.from(forTasks.of(id))))
    return Array.from(touched).flatMap((wait) => {
      const news = newsFor(wait.interest, halts)
      if (news === null) return []
      forTasks.remove(wait, wait.interest.ids)
      return [[wait.news, news] as const]
    })
  })

  const lookAtEnds = Effect.gen(function* () {
    if (forEnds.size === 0) return []
    const last = yield* tasks.lastEvent
    return Array.from(forEnds)
      .filter(({ interest: { endsAfter } }) => endsAfter !== null && endsAfter < last)
      .map(({ news }) => [news, { held: [] }] as const)
  })

  const lookAtQuestions = Effect.gen(function* () {
    const ids = forQuestions.keys()
    if (ids.length === 0) return []
    const open = new Set(yield* questions.openOf(ids))
    return ids
      .filter((id) => !open.has(id))
      .flatMap((id) => Array.from(forQuestions.of(id), (closed) => [closed, undefined] as const))
  })

  const look = Effect.gen(function* () {
    const at = yield* elapsedMs
    // Read before the rows: a commit between the two is then seen as a change, never missed.
    const mark = `${yield* tasks.version} ${yield* tasks.ownChanges}`
    const now = { mark, registered, at }
    if (mark === seen.mark && registered === seen.registered && at - seen.at < lookEveryMs) return
    const news = [...(yield* lookAtTasks), ...(yield* lookAtEnds)]
    const closed = yield* lookAtQuestions
    seen = now
    const took = (yield* elapsedMs) - at
    yield* tell(news)
    yield* tell(closed)
    if (took > longMs) yield* Effect.sleep(Math.min(9 * took, longestRestMs))
  })

  /** A watch that fails ends every wait with its error. */
  const failAll = (error: StorageError) =>
    Effect.gen(function* () {
      const waits = new Set([...forEnds, ...forTasks.keys().flatMap((id) => Array.from(forTasks.of(id)))])
      yield* Effect.forEach(waits, ({ news }) => Deferred.fail(news, error), { discard: true })
      const asked = forQuestions.keys().flatMap((id) => Array.from(forQuestions.of(id)))
      yield* Effect.forEach(asked, (closed) => Deferred.fail(closed, error), { discard: true })
    })

  const rounds = Effect.gen(function* () {
    const started = Effect.zipRight(Queue.take(begun), Effect.sleep(gatherMs))
    const { until } = yield* makeWatch(Effect.raceFirst(yield* ownEnds, started))
    return yield* until(look, () => false)
  }).pipe(Effect.scoped, Effect.catchAll(failAll), Effect.zipRight(Effect.sleep(pause)), Effect.forever)

  const served = ensureWorkerRuns({
    justLaunched: false,
    onTrouble: (problem) => Effect.forEach(listeners, (tellOf) => tellOf(problem), { discard: true })
  })

  const watching = yield* RcRef.make({ acquire: Effect.forkScoped(rounds) })
  const serving = yield* RcRef.make({ acquire: Effect.forkScoped(served) })

  /** Registered for as long as it waits, and not longer. */
  const registeredWhile = <A>(
    add: (deferred: Deferred.Deferred<A, StorageError>) => () => void
  ): Effect.Effect<A, StorageError> =>
    Effect.acquireUseRelease(
      Effect.gen(function* () {
        const deferred = yield* Deferred.make<A, StorageError>()
        const remove = add(deferred)
        registered += 1
        yield* Queue.offer(begun, undefined)
        return { deferred, remove }
      }),
      ({ deferred }) => Deferred.await(deferred),
      ({ remove }) => Effect.sync(remove)
    )

  const next = (interest: Interest) =>
    registeredWhile<News>((news) => {
      const wait: TaskWait = { interest, news }
      forTasks.add(wait, interest.ids)
      if (interest.endsAfter !== null) forEnds.add(wait)
      return () => {
        forTasks.remove(wait, interest.ids)
        forEnds.delete(wait)
      }
    })

  return EndWatch.of({
    watch: (onTrouble) =>
      Effect.gen(function* () {
        // A separate callback for each wait, also where two pass the same one.
        const tellOf: Tell = (problem) => onTrouble(problem)
        yield* Effect.acquireRelease(
          Effect.sync(() => listeners.add(tellOf)),
          () => Effect.sync(() => listeners.delete(tellOf))
        )
        yield* RcRef.get(serving)
        yield* RcRef.get(watching)
        return next
      }),
    untilClosed: (id) =>
      Effect.scoped(
        Effect.zipRight(
          RcRef.get(watching),
          registeredWhile<void>((closed) => {
            forQuestions.add(closed, [id])
            return () => forQuestions.remove(closed, [id])
          })
        )
      )
  })
})
