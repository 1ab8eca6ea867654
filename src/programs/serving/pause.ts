/** How long a worker waits between two looks, and for what: a commit, its own work, or the next time that something is due. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { StorageError } from "../../domain/Errors.ts"
import { CommitNotifier } from "../../services/CommitNotifier.ts"
import { ownWork } from "../../services/OwnWork.ts"
import { Tasks } from "../../services/Tasks.ts"
import { untilClockIsSet } from "../clockWatch.ts"
import type { Deliverer } from "../hooks/Deliverer.ts"
import { attempt } from "../retryWhileStorageFails.ts"
import { nextTimes } from "../schedules/nextTimes.ts"
import type { CalmWatch, Rhythm } from "./calmWatch.ts"
import type { StillWatch } from "./stillWatch.ts"

/** How often a look is taken at who is alive, whatever else happens, in milliseconds. */
export const livenessMs = 1000

/** Workers that are not the oldest wait this long before firing a due schedule, so that workers do not contend for the write lock. */
const contentionDelayMs = 250

/** The liveness interval while no task is queued or running. Also bounds how late a clock change is noticed. */
export const quietMs = 5000

/** The liveness interval while no time is due either: new work then arrives with a commit. */
const asleepMs = 15_000

/**
 * Tasks of this worker that end within this time after a look share the next one, in milliseconds. A look for each was a quarter of
 * what a short task costs.
 */
const togetherMs = 40

/** The parts of a worker that a wait is about. */
interface Waiting {
  readonly options: { readonly leaveWhenIdle: boolean }
  readonly wake: EffectQueue.Queue<void>
  readonly hooks: Deliverer
  /** How many older workers serve the queue. */
  readonly rank: Ref.Ref<number>
  readonly still: StillWatch
  readonly calm: CalmWatch
}

/** Whether another process has committed after `seen`. */
const committedSince = (seen: number) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.version, (version) => version !== seen))

/**
 * Waits for a child's end, a commit that `hasCommit` finds, or the bound. It is asked when one is reported, and every `askMs`.
 * True: something happened in this process, of which the store may say nothing.
 */
const waitFor = Effect.fn("pool.wait")(function* <R>(
  { wake }: Waiting,
  bound: number,
  hasCommit: Effect.Effect<boolean, StorageError, R>,
  askMs = bound
) {
  const commits = yield* CommitNotifier
  const committed = commits.changed(askMs).pipe(Effect.zipRight(hasCommit), Effect.repeat({ until: (found) => found }))
  const began = yield* elapsedMs
  const ended = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      yield* restore(EffectQueue.take(wake))
      const rest = togetherMs - ((yield* elapsedMs) - began)
      // What ends the wait earlier must not lose the news.
      if (rest > 0) yield* Effect.onInterrupt(restore(Effect.sleep(rest)), () => EffectQueue.offer(wake, undefined))
    })
  )
  const own = Effect.as(Effect.raceFirst(ended, ownWork), true)
  return yield* Effect.raceFirst(own, Effect.as(committed, false)).pipe(
    Effect.timeoutOption(bound),
    Effect.map(Option.getOrElse(() => false))
  )
})

/** The wait of a worker before it fires a due schedule. */
export const deferenceOf = ({ rank }: Pick<Waiting, "rank">) =>
  Effect.map(Ref.get(rank), (older) => (older === 0 ? 0 : contentionDelayMs))

/** So many workers react to each commit immediately. */
const promptWorkers = 4

/** For each older worker, the time that one without tasks leaves a commit to the others, in milliseconds; at most `mostRestMs`. */
const restPerOlderMs = 50
const mostRestMs = 2500

/**
 * Where many servers share a database each commit wakes all of them, and their looks would take the cores from the few that work:
 * with fifty it was a second for each commit. One worker can run all tasks, so the youngest look less often.
 */
const restOf = (older: number): number => (older < promptWorkers ? 0 : Math.min(mostRestMs, older * restPerOlderMs))

interface Looked {
  /** When the look began. */
  readonly since: number
  /** The worker looks after no task. */
  readonly free: boolean
  /** Memory was too short for a task. */
  readonly short: boolean
  /** No other worker is on the list. */
  readonly alone: boolean
}

/** The waits after a look. */
export const rhythmOf = Effect.fn("pool.rhythm")(function* (pool: Waiting, { alone, free, short, since }: Looked) {
  const tasks = yield* Tasks
  const older = free && !pool.options.leaveWhenIdle ? yield* Ref.get(pool.rank) : 0
  const { due, fires } = yield* nextTimes(since)
  const deference = yield* deferenceOf(pool)
  const { nextAt } = yield* pool.hooks.state
  const times = [
    ...Option.toArray(due),
    ...(nextAt === null ? [] : [nextAt]),
    ...Option.toArray(Option.map(fires, (at) => at + deference))
  ]
  const { queued, running } = yield* tasks.counts
  const quiet = Option.isNone(fires) ? asleepMs : quietMs
  const rhythm: Rhythm = {
    rest: restOf(older),
    liveness: queued + running === 0 ? quiet : livenessMs * (1 + Math.floor(older / promptWorkers)),
    dueAt: times.length === 0 ? null : Math.min(...times),
    queued,
    running,
    short,
    alone
  }
  return rhythm
})

/** Waits until something happens or the next deadline, at most `boundMs`. True: it happened in this process. */
const untilNext = Effect.fn("pool.untilNext")(function* <R>(
  pool: Waiting,
  rhythm: Rhythm,
  boundMs: number,
  hasCommit: Effect.Effect<boolean, StorageError, R>,
  askMs?: number
) {
  if (rhythm.rest > 0) {
    const own = yield* Effect.raceAll([EffectQueue.take(pool.wake), ownWork]).pipe(Effect.timeoutOption(rhythm.rest))
    if (Option.isSome(own)) return true
  }
  const untilDue = rhythm.dueAt === null ? asleepMs : rhythm.dueAt - (yield* Clock.currentTimeMillis)
  const bound = Math.max(1, Math.min(asleepMs, rhythm.liveness, boundMs, untilDue))
  return yield* waitFor(pool, bound, hasCommit, Math.min(bound, askMs ?? bound))
})

/** How late a worker that no other one depends on notices new settings and a clock that was set while nothing else happens, in milliseconds. */
const aloneMs = 2500

/** How long a worker with tasks rests while nothing moves, in milliseconds: then it writes that it lives. */
const restMs = 10_000

/** What has happened in this process the store need not say: the next look is a whole one then. Null: the store could not be read. */
const afterwards = Effect.fn("pool.pause")(function* <R>(
  { calm }: Waiting,
  wait: Effect.Effect<boolean | null, never, R>
) {
  const woken = yield* wait
  if (woken !== false) yield* calm.looked(null)
  if (woken === null) yield* Effect.sleep(quietMs)
})

/** The pause after a look. */
export const pause = (pool: Waiting, told: Set<string>, rhythm: Rhythm, boundMs: number, seen: number) =>
  afterwards(pool, attempt(told, untilNext(pool, rhythm, boundMs, committedSince(seen)), null))

/**
 * The same while nothing moves. One fiber asks in each liveness interval, while another worker may die, for what no commit reports (`hasMoved`:
 * no statement). Another one waits for commits, of this process too. Both are started once for all the intervals.
 */
export const pauseCalm = <R, R2>(
  pool: Waiting,
  told: Set<string>,
  rhythm: Rhythm,
  hasCommit: Effect.Effect<boolean, StorageError, R>,
  hasMoved: Effect.Effect<boolean, StorageError, R2>
) => {
  const everyMs = rhythm.alone ? aloneMs : rhythm.liveness
  const moved = Effect.sleep(everyMs).pipe(Effect.zipRight(hasMoved), Effect.repeat({ until: (found) => found }))
  const rest = untilNext(pool, { ...rhythm, liveness: restMs }, restMs, hasCommit, quietMs)
  return afterwards(pool, attempt(told, Effect.raceFirst(rest, Effect.as(moved, false)), null))
}

/** The same for an idle worker while nothing has changed since the last whole look. A clock that is set ends it within seconds, at next to no cost. */
export const pauseStill = Effect.fn("pool.pauseStill")(function* (pool: Waiting, seen: number) {
  const fires = pool.still.nextFireAt()
  const now = yield* Clock.currentTimeMillis
  const untilDue = fires === null ? asleepMs : fires + (yield* deferenceOf(pool)) - now
  yield* Effect.race(
    waitFor(pool, Math.max(1, Math.min(asleepMs, untilDue)), committedSince(seen)),
    untilClockIsSet(quietMs)
  )
})
