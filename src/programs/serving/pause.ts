/** How long a worker waits between two looks, and for what: a commit, its own work, or the next time that something is due. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../domain/Elapsed.ts"
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

/**
 * Waits for a child's end, another process' commit after `seen`, or the bound. True: something happened in this process, of which
 * the store may say nothing.
 */
const waitFor = Effect.fn("pool.wait")(function* ({ wake }: Waiting, bound: number, seen: number) {
  const tasks = yield* Tasks
  const commits = yield* CommitNotifier
  const committed = commits
    .changed(bound)
    .pipe(Effect.zipRight(tasks.version), Effect.repeat({ until: (version) => version !== seen }))
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

/** `free`: the worker looks after no task. */
export const rhythmOf = Effect.fn("pool.rhythm")(function* (pool: Waiting, free: boolean) {
  const tasks = yield* Tasks
  const older = free && !pool.options.leaveWhenIdle ? yield* Ref.get(pool.rank) : 0
  const { fires, others } = yield* nextTimes(yield* Clock.currentTimeMillis)
  const deference = yield* deferenceOf(pool)
  const { nextAt } = yield* pool.hooks.state
  const times = [
    ...others,
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
    running
  }
  return rhythm
})

/** Waits until something happens or the next deadline, at most `boundMs`. True: it happened in this process. */
const untilNext = Effect.fn("pool.untilNext")(function* (pool: Waiting, rhythm: Rhythm, boundMs: number, seen: number) {
  if (rhythm.rest > 0) {
    const own = yield* Effect.raceAll([EffectQueue.take(pool.wake), ownWork]).pipe(Effect.timeoutOption(rhythm.rest))
    if (Option.isSome(own)) return true
  }
  const untilDue = rhythm.dueAt === null ? asleepMs : rhythm.dueAt - (yield* Clock.currentTimeMillis)
  return yield* waitFor(pool, Math.max(1, Math.min(asleepMs, rhythm.liveness, boundMs, untilDue)), seen)
})

/** The pause after a look. What has happened in this process the store need not say: the next look is a whole one then. */
export const pause = Effect.fn("pool.pause")(function* (
  pool: Waiting,
  told: Set<string>,
  rhythm: Rhythm,
  boundMs: number,
  seen: number
) {
  const woken = yield* attempt(told, untilNext(pool, rhythm, boundMs, seen), null)
  if (woken !== false) yield* pool.calm.looked(null)
  if (woken === null) yield* Effect.sleep(quietMs)
})

/** The same while nothing has changed since the last whole look. A clock that is set ends it within seconds, at next to no cost. */
export const pauseStill = Effect.fn("pool.pauseStill")(function* (pool: Waiting, seen: number) {
  const fires = pool.still.nextFireAt()
  const now = yield* Clock.currentTimeMillis
  const untilDue = fires === null ? asleepMs : fires + (yield* deferenceOf(pool)) - now
  yield* Effect.race(waitFor(pool, Math.max(1, Math.min(asleepMs, untilDue)), seen), untilClockIsSet(quietMs))
})
