/** The worker pool: one level-triggered loop that adopts orphaned tasks, fires due schedules and claims ready tasks. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { ClaimId } from "../../domain/worker/Claim.ts"
import type { Worker, WorkerId, WorkerKind } from "../../domain/worker/Worker.ts"
import { CommitNotifier } from "../../services/CommitNotifier.ts"
import { count } from "../../services/Counters.ts"
import { Host } from "../../services/Host.ts"
import { Ids } from "../../services/Ids.ts"
import { Processes } from "../../services/Processes.ts"
import { type ClaimedTask, type Held, Queue } from "../../services/Queue.ts"
import { Schedules } from "../../services/Schedules.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { attempt } from "../retryWhileStorageFails.ts"
import { makeClockWatch } from "../schedules/clockWatch.ts"
import { fireSchedules } from "../schedules/fireSchedules.ts"
import { isEldest, isOutdated, makePresence, type Presence } from "../serving/presence.ts"
import { seenWorkers } from "../serving/Seen.ts"
import { admission, makeSettling } from "./admission.ts"
import { endUnreadable } from "./endUnreadable.ts"
import { type CheckpointKeeper, makeCheckpointKeeper } from "./keepCheckpoints.ts"
import { type KnownSettings, readSettings } from "./readSettings.ts"
import { supervise } from "./supervise.ts"
import { tidy } from "./tidy.ts"

export interface PoolOptions {
  readonly kind: WorkerKind
  readonly version: string
  /** Leave when nothing is queued, running or scheduled. */
  readonly leaveWhenIdle: boolean
  /** Run once the worker is registered: from then on every submitter finds the queue served. */
  readonly onRegistered?: (id: WorkerId) => Effect.Effect<void>
  /** Returns when this process has created work for it: the version does not change with this process's own commits. */
  readonly nudged?: Effect.Effect<void>
}

/** How often a look is taken at who is alive, whatever else happens, in milliseconds. */
const livenessMs = 1000

/** Younger workers wait this long before firing a due schedule, so that workers do not contend for the write lock. */
const contentionDelayMs = 250

/** The interval between searches for unused spools. */
const tidyEvery = "10 minutes"

/** The liveness interval while no task is queued or running. Also bounds how late a clock change is noticed. */
const quietMs = 5000

/** The liveness interval while no time is due either: new work then arrives with a commit. */
const asleepMs = 15_000

/** One worker's running parts. */
interface Pool {
  readonly options: PoolOptions
  readonly worker: Worker
  readonly fibers: FiberMap.FiberMap<ClaimId>
  readonly cancels: Map<TaskId, Deferred.Deferred<void>>
  readonly wake: EffectQueue.Queue<void>
  readonly checkpoints: CheckpointKeeper
  /** Whether this is the oldest worker: it fires due schedules immediately, and the others only those it leaves. */
  readonly eldest: Ref.Ref<boolean>
  readonly settling: ReturnType<typeof makeSettling>
  readonly presence: Presence
}

const watch = Effect.fn("pool.watch")(function* (
  pool: Pool,
  settings: Settings,
  claimed: Held,
  fresh: ClaimedTask | null
) {
  // A claim that was taken away and came back before its fiber noticed continues unchanged.
  if (FiberMap.unsafeHas(pool.fibers, claimed.claim.claimId)) return
  const cancelled = yield* Deferred.make<void>()
  pool.cancels.set(claimed.task.id, cancelled)
  yield* FiberMap.run(
    pool.fibers,
    claimed.claim.claimId,
    supervise({ claimed, fresh, worker: pool.worker, settings, cancelled }).pipe(
      Effect.catchAllCause((cause) => Effect.logError(`task ${claimed.task.id}: supervisor crashed`, cause)),
      Effect.ensuring(
        Effect.sync(() => {
          if (pool.cancels.get(claimed.task.id) === cancelled) pool.cancels.delete(claimed.task.id)
        })
      ),
      Effect.ensuring(pool.checkpoints.ended(claimed.task.id)),
      Effect.ensuring(EffectQueue.offer(pool.wake, undefined))
    )
  )
})

/** Takes over what a dead worker left, and what this one dropped by a defect. */
const adopt = Effect.fn("pool.adopt")(function* (pool: Pool, settings: Settings) {
  const queue = yield* Queue
  const registry = yield* WorkerRegistry
  // In this order: a worker registers before it claims, so the owner of a row seen here is on the list, or has left.
  const claims = yield* registry.claims
  const workers = yield* registry.workers
  const gone = yield* pool.presence.gone(workers)
  if (!workers.some(({ id }) => id === pool.worker.id)) {
    // Its row was taken off, for example by a restored backup.
    yield* registry.register(pool.worker)
  }
  const kept = new Set(workers.map(({ id }) => id).filter((id) => !gone.has(id)))
  for (const claim of claims) {
    const mine = claim.workerId === pool.worker.id
    if (mine ? FiberMap.unsafeHas(pool.fibers, claim.claimId) : kept.has(claim.workerId)) continue
    if (!mine && !(yield* registry.adopt(claim.claimId, claim.workerId, pool.worker.id))) continue
    const claimed = yield* queue.claimedTask(claim.claimId).pipe(
      // It must not keep the others waiting.
      Effect.catchIf(
        ({ reason }) => reason === "unfit",
        (error) =>
          Effect.as(endUnreadable({ graceMs: settings.graceMs, worker: pool.worker, claim }, error), Option.none())
      )
    )
    if (Option.isNone(claimed)) continue
    yield* Effect.logInfo(`task ${claim.taskId}: taken over`)
    yield* watch(pool, settings, claimed.value, null)
  }
  for (const worker of workers) {
    if (gone.has(worker.id) && (yield* pool.presence.mayForget(worker))) yield* registry.leave(worker.id, "always")
  }
  yield* Ref.set(pool.eldest, yield* isEldest(pool.worker.id))
})

/** Tells the supervisors of this worker which of their tasks have a cancel request. */
const cancel = Effect.fn("pool.cancel")(function* (pool: Pool) {
  if (pool.cancels.size === 0) return
  const tasks = yield* Tasks
  for (const id of yield* tasks.cancelRequested) {
    const cancelled = pool.cancels.get(id)
    if (cancelled !== undefined) yield* Deferred.succeed(cancelled, undefined)
  }
})

/** Claims and starts as many ready tasks as there is room for. */
const claimReady = Effect.fn("pool.claimReady")(function* (pool: Pool, settings: Settings) {
  const queue = yield* Queue
  const registry = yield* WorkerRegistry
  const tasks = yield* Tasks
  const processes = yield* Processes
  const host = yield* Host
  if ((yield* FiberMap.size(pool.fibers)) > 0 || (yield* tasks.counts).queued > 0) yield* pool.presence.write
  while ((yield* tasks.counts).queued > 0) {
    const claims = yield* registry.claims
    const room = yield* admission(claims, yield* pool.settling(claims), settings)
    if (room._tag !== "Admitted") return
    const claimed = yield* queue.claim({
      workerId: pool.worker.id,
      maxConcurrency: settings.maxConcurrency,
      onlyWhenIdle: room.onlyWhenIdle,
      bootId: yield* processes.bootId,
      uptimeMs: yield* host.uptimeMs,
      uid: processes.uid
    })
    if (Option.isNone(claimed)) return
    const { agent, createdAt, id, notBefore } = claimed.value.task
    yield* count("claims")
    yield* count("queue_wait", Math.max(0, (yield* Clock.currentTimeMillis) - Math.max(createdAt, notBefore ?? 0)))
    yield* Effect.logInfo(`task ${id}: starting ${agent}`)
    yield* watch(pool, settings, claimed.value, claimed.value)
  }
})

/** Whether this worker has left: nothing to do any more, or an older one serves the queue as well. */
const leave = Effect.fn("pool.leave")(function* (pool: Pool, settings: Settings, idleSince: Ref.Ref<number | null>) {
  if (!pool.options.leaveWhenIdle) return false
  const registry = yield* WorkerRegistry
  const tasks = yield* Tasks
  const now = yield* elapsedMs
  if ((yield* FiberMap.size(pool.fibers)) > 0 || (yield* pool.checkpoints.busy)) {
    yield* Ref.set(idleSince, null)
    return false
  }
  if (pool.worker.kind === "on-demand") {
    const seen = yield* seenWorkers()
    const place = seen.findIndex(({ worker }) => worker.id === pool.worker.id)
    const older = seen.slice(0, Math.max(0, place)).find(({ serving }) => serving === "serves")
    if (older !== undefined) return yield* registry.leave(pool.worker.id, { superseded: older.worker.id })
  }
  const counts = yield* tasks.counts
  const schedules = yield* Schedules
  if (counts.queued > 0 || counts.running > 0 || Option.isSome(yield* schedules.nextFire)) {
    yield* Ref.set(idleSince, null)
    return false
  }
  const since = (yield* Ref.get(idleSince)) ?? now
  yield* Ref.set(idleSince, since)
  return now - since >= settings.idleMs ? yield* registry.leave(pool.worker.id, "idle") : false
})

/** Waits for a child's end, another process' commit after `seen`, or the next deadline. */
const pause = Effect.fn("pool.pause")(function* (pool: Pool, settings: Settings, seen: number) {
  const tasks = yield* Tasks
  const commits = yield* CommitNotifier
  const now = yield* Clock.currentTimeMillis
  const due = yield* tasks.nextDue(now)
  const deference = (yield* Ref.get(pool.eldest)) ? 0 : contentionDelayMs
  const fires = Option.map(yield* (yield* Schedules).nextFire, (at) => at + deference)
  const untilDue = Math.min(...[due, fires].map(Option.match({ onNone: () => asleepMs, onSome: (at) => at - now })))
  const { queued, running } = yield* tasks.counts
  const quiet = Option.isNone(fires) ? asleepMs : quietMs
  const liveness = queued + running === 0 ? quiet : livenessMs
  const idle = pool.options.leaveWhenIdle ? Math.max(50, settings.idleMs) : liveness
  const bound = Math.max(1, Math.min(liveness, untilDue, idle))
  const committed = commits
    .changed(bound)
    .pipe(Effect.zipRight(tasks.version), Effect.repeat({ until: (version) => version !== seen }))
  const nudged = pool.options.nudged ?? Effect.never
  yield* Effect.raceAll([EffectQueue.take(pool.wake), committed, nudged]).pipe(Effect.timeoutOption(bound))
})

/**
 * Runs a pool until it is interrupted, or until there is nothing to do where it may leave then. Interrupting it leaves
 * agents running and their rows in place; the worker takes itself off the list.
 */
export const runPool = Effect.fn("runPool")(function* (options: PoolOptions) {
  const ids = yield* Ids
  const processes = yield* Processes
  const registry = yield* WorkerRegistry
  const settingsStore = yield* SettingsStore
  const startedAt = yield* Clock.currentTimeMillis
  const worker: Worker = {
    id: yield* ids.worker,
    kind: options.kind,
    process: yield* processes.self,
    version: options.version,
    schema: (yield* registry.schema).known,
    uid: processes.uid,
    startedAt,
    seenAt: startedAt
  }
  const lastSettings = yield* Ref.make<KnownSettings>({ settings: yield* settingsStore.get, problem: null })
  const idleSince = yield* Ref.make<number | null>(null)

  yield* Effect.acquireRelease(registry.register(worker), () =>
    // The row of a worker that could not take itself off is seen to be dead by the next one.
    registry.leave(worker.id, "always").pipe(Effect.timeout("1 second"), Effect.ignoreLogged)
  )
  const pool: Pool = {
    options,
    worker,
    fibers: yield* FiberMap.make<ClaimId>(),
    cancels: new Map(),
    wake: yield* EffectQueue.sliding<void>(1),
    checkpoints: yield* makeCheckpointKeeper(worker.id),
    eldest: yield* Ref.make(false),
    settling: makeSettling(),
    presence: yield* makePresence(worker)
  }
  yield* options.onRegistered?.(worker.id) ?? Effect.void
  yield* Effect.logInfo(`worker ${worker.id} (${worker.kind}, pid ${worker.process.pid}) started`)

  yield* tidy().pipe(
    Effect.catchAllCause((cause) => Effect.logWarning("spools were not tidied", cause)),
    Effect.zipRight(Effect.sleep(tidyEvery)),
    Effect.forever,
    Effect.forkScoped
  )

  const watchClock = makeClockWatch()
  const told = new Set<string>()
  let lookedAt = 0
  while (true) {
    const settings = yield* readSettings(lastSettings)
    // Before any read: a commit that arrives in between ends the pause immediately.
    const seen = yield* attempt(
      told,
      Effect.flatMap(Tasks, (tasks) => tasks.version),
      -1
    )
    if (yield* attempt(told, isOutdated, false)) break
    const now = yield* elapsedMs
    if (now - lookedAt >= livenessMs) {
      yield* attempt(told, adopt(pool, settings), undefined)
      lookedAt = now
    }
    yield* attempt(told, pool.checkpoints.look, undefined)
    yield* attempt(told, cancel(pool), undefined)
    yield* attempt(told, watchClock, undefined)
    const overdueMs = (yield* Ref.get(pool.eldest)) ? 0 : contentionDelayMs
    yield* attempt(told, fireSchedules({ overdueMs }), false)
    yield* attempt(told, claimReady(pool, settings), undefined)
    if (yield* attempt(told, leave(pool, settings, idleSince), false)) break
    const paused = yield* attempt(told, Effect.as(pause(pool, settings, seen), true), false)
    if (!paused) yield* Effect.sleep(quietMs)
  }
  yield* Effect.logInfo(`worker ${worker.id} leaves`)
}, Effect.scoped)
