/** The worker pool: one level-triggered loop that adopts orphaned tasks, fires due schedules and claims ready tasks. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { StorageError } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import type { Worker, WorkerId } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"
import { type ClaimedTask, type Held, Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { makeClockWatch } from "../clockWatch.ts"
import { stopGoals } from "../goals/stopGoals.ts"
import { giveUp } from "../limits/giveUp.ts"
import { endLateRounds } from "../loops/endLateRounds.ts"
import { carryAdrift } from "../messages/carryMessages.ts"
import { attempt } from "../retryWhileStorageFails.ts"
import { fireSchedules } from "../schedules/fireSchedules.ts"
import { leave } from "../serving/leave.ts"
import type { Pool } from "../serving/openPool.ts"
import { deferenceOf, livenessMs, pause, pauseCalm, pauseStill, quietMs, rhythmOf } from "../serving/pause.ts"
import { cannotServe, rankOf } from "../serving/presence.ts"
import { readSettings } from "../serving/readSettings.ts"
import { admission } from "./admission.ts"
import { endUnreadable } from "./endUnreadable.ts"
import { claimTask, supervise } from "./TaskLife.ts"

/** Starts the supervisor of a claimed task, in a fiber that has the id of its claim. */
const lookAfter = Effect.fn("pool.lookAfter")(function* (
  pool: Pool,
  settings: Settings,
  claimed: Held,
  fresh: ClaimedTask | null
) {
  // A claim that was taken away and came back before its fiber noticed continues unchanged.
  if (FiberMap.unsafeHas(pool.fibers, claimed.claim.claimId)) return
  const signals = yield* pool.signals.open(claimed)
  yield* FiberMap.run(
    pool.fibers,
    claimed.claim.claimId,
    supervise({ claimed, fresh, worker: pool.worker, settings, signals }).pipe(
      Effect.catchAllCause((cause) => Effect.logError(`task ${claimed.task.id}: supervisor crashed`, cause)),
      Effect.ensuring(pool.signals.close(claimed.task.id, signals)),
      Effect.ensuring(pool.checkpoints.ended(claimed.task.id)),
      Effect.ensuring(EffectQueue.offer(pool.wake, undefined))
    )
  )
})

/**
 * Takes over what a dead worker left, and what this one dropped by a defect. Returns the other workers; null while a claim waits whose
 * worker is off the list.
 */
const adopt = Effect.fn("pool.adopt")(function* (pool: Pool, settings: Settings) {
  const queue = yield* Queue
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  // In this order: a worker registers before it claims, so the owner of a row seen here is on the list, or has left.
  const claims = yield* registry.claims
  const workers = yield* registry.workers
  const gone = yield* pool.presence.gone(workers)
  if (!workers.some(({ id }) => id === pool.worker.id)) {
    // Its row was removed, for example by a restored backup.
    yield* registry.register(pool.worker)
  }
  const kept = new Set(workers.map(({ id }) => id).filter((id) => !gone.has(id)))
  const listed = new Set([pool.worker.id, ...workers.map(({ id }) => id)])
  const left = new Set(yield* pool.presence.left(claims.filter(({ workerId }) => !listed.has(workerId))))
  const copied = new Set(workers.flatMap(({ file, id }) => (file === pool.worker.file ? [] : [id])))
  /** Copied workers whose agents live. */
  const holders = new Set<WorkerId>()
  /** Whether a claim stays with its worker. */
  const stays = (claim: Claim) =>
    Effect.gen(function* () {
      const { claimId, process, workerId } = claim
      if (workerId === pool.worker.id) return FiberMap.unsafeHas(pool.fibers, claimId)
      if (process === null || !copied.has(workerId)) return kept.has(workerId)
      // It came with a copy of the database: its agent writes into the spool of the original, and would look silent from here.
      const alive = yield* processes.alive(process)
      if (alive === "alive") holders.add(workerId)
      return alive === "alive" || (alive === "unknown" && kept.has(workerId))
    })
  for (const claim of claims) {
    const mine = claim.workerId === pool.worker.id
    if (yield* stays(claim)) continue
    if (!listed.has(claim.workerId) && !left.has(claim)) continue
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
    yield* lookAfter(pool, settings, claimed.value, null)
  }
  yield* pool.hooks.adopt(kept)
  for (const worker of workers) {
    if (!gone.has(worker.id) || holders.has(worker.id)) continue
    if (yield* pool.presence.mayForget(worker)) yield* registry.leave(worker.id, "always")
  }
  yield* Ref.set(pool.rank, yield* rankOf(pool.worker.id))
  return claims.some(({ workerId }) => !listed.has(workerId)) ? null : workers.filter(({ id }) => id !== pool.worker.id)
})

/** Other processes count on a worker that looks after tasks. */
const writePresence = (pool: Pool, queued: number) =>
  Effect.flatMap(FiberMap.size(pool.fibers), (size) => (size + queued > 0 ? pool.presence.write : Effect.void))

/** Claims and starts the next ready tasks; returns how many there were. */
const claimSome = Effect.fn("pool.claimSome")(function* (
  pool: Pool,
  settings: Settings,
  onlyWhenIdle: boolean,
  most: number
) {
  const claimed = yield* claimTask(pool.worker, settings, onlyWhenIdle, most)
  for (const one of claimed) yield* lookAfter(pool, settings, one, one)
  return claimed.length
})

/** The most claims in one transaction: other processes wait for its lock. */
const mostTogether = 8

/** Claims and starts as many ready tasks as there is room for. True: memory was too short for another one. */
const claimReady = Effect.fn("pool.claimReady")(function* (pool: Pool, settings: Settings) {
  const registry = yield* WorkerRegistry
  const tasks = yield* Tasks
  let { queued } = yield* tasks.counts
  yield* writePresence(pool, queued)
  while (queued > 0) {
    const claims = yield* registry.claims
    const room = yield* admission(claims, yield* pool.settling(claims), settings)
    if (room._tag !== "Admitted") return room._tag === "Memory"
    const most = Math.min(room.places, mostTogether)
    const claimed = yield* claimSome(pool, settings, room.onlyWhenIdle, most)
    if (claimed < most) return false
    queued -= claimed
  }
  return false
})

/** Whether it looks after something that is in no row. */
const isBusy = Effect.fn("pool.isBusy")(function* (pool: Pool) {
  const { trying } = yield* pool.hooks.state
  return trying || (yield* FiberMap.size(pool.fibers)) > 0 || (yield* pool.checkpoints.busy)
})

/** Whether this worker has left. */
const leaveIfIdle = Effect.fn("pool.leave")(function* (
  pool: Pool,
  { idleMs }: Settings,
  idleSince: Ref.Ref<number | null>
) {
  if (!pool.options.leaveWhenIdle) return false
  const { waits } = yield* pool.hooks.state
  return yield* leave({ worker: pool.worker, busy: yield* isBusy(pool), waits, idleMs, idleSince })
})

/** The version of the store for waits, and a mark that changes with every commit but the signs of life of this worker. */
const versionOf = Effect.fn("pool.version")(function* ({ presence }: Pool) {
  const tasks = yield* Tasks
  const seen = yield* tasks.version
  return { mark: `${seen} ${(yield* tasks.ownChanges) - presence.writes()}`, seen }
})

/** Whether a whole look would find something that no commit has brought. */
const hasMoved = (pool: Pool, mark: string) =>
  Effect.gen(function* () {
    return (yield* pool.calm.holds(mark, yield* readSettings(pool.lastSettings))) === null
  })

/** Works until it is interrupted, or until there is nothing to do where the worker may leave then. */
export const workOn = Effect.fn("workOn")(function* (pool: Pool) {
  const idleSince = yield* Ref.make<number | null>(null)
  const clock = makeClockWatch()
  const told = new Set<string>()
  let lookedAt = Number.NEGATIVE_INFINITY
  /** Nothing was left out of this look. What was is done again at the next one, soon. */
  let complete = true
  const step = <R>(work: Effect.Effect<unknown, StorageError, R>) =>
    Effect.map(attempt(told, Effect.as(work, true), false), (done) => {
      complete &&= done
    })
  while (true) {
    // Before any read: a commit that arrives in between ends the pause immediately.
    const { mark, seen } = yield* attempt(told, versionOf(pool), { mark: "", seen: -1 })
    const settings = yield* readSettings(pool.lastSettings)
    const rhythm = yield* pool.calm.holds(mark, settings)
    if (rhythm !== null) {
      yield* attempt(told, clock.look, undefined)
      if (rhythm.short) {
        yield* attempt(told, claimReady(pool, settings), false)
        yield* pause(pool, told, rhythm, rhythm.liveness, seen)
        continue
      }
      yield* attempt(told, writePresence(pool, rhythm.queued), undefined)
      const hasCommit = Effect.map(versionOf(pool), (now) => now.mark !== mark)
      yield* pauseCalm(pool, told, rhythm, hasCommit, hasMoved(pool, mark))
      continue
    }
    if (yield* attempt(told, pool.still.holds, false)) {
      yield* attempt(told, clock.look, undefined)
      if (!(yield* attempt(told, Effect.as(pauseStill(pool, seen), true), false))) yield* Effect.sleep(quietMs)
      continue
    }
    if (yield* attempt(told, cannotServe, false)) break
    const now = yield* elapsedMs
    // What becomes due while this look is taken is not left to the next one.
    const since = yield* Clock.currentTimeMillis
    let others: ReadonlyArray<Worker> | null = null
    complete = true
    const isDue = now - lookedAt >= livenessMs
    if (isDue) {
      others = yield* attempt(told, adopt(pool, settings), null)
      lookedAt = now
    }
    yield* step(pool.checkpoints.look)
    yield* step(pool.signals.look)
    yield* step(carryAdrift)
    yield* step(clock.look)
    if (!clock.isSteady()) complete = false
    else if (isDue) {
      yield* step(stopGoals)
      yield* step(giveUp)
      yield* step(endLateRounds)
    }
    yield* step(fireSchedules({ overdueMs: yield* deferenceOf(pool) }))
    const short = yield* attempt(told, claimReady(pool, settings), null)
    yield* step(pool.hooks.look(settings))
    if (yield* attempt(told, leaveIfIdle(pool, settings, idleSince), false)) break
    const busy = yield* isBusy(pool)
    yield* pool.still.looked(busy)
    const next = yield* attempt(
      told,
      rhythmOf(pool, { since, free: !busy, short: short === true, alone: others?.length === 0 }),
      null
    )
    if (next === null) {
      yield* Effect.sleep(quietMs)
      continue
    }
    // A worker that counts the time until it leaves looks when that is over.
    const works = next.queued + next.running > 0 && (yield* Ref.get(idleSince)) === null
    const whole = complete && short !== null
    yield* pool.calm.looked(works && whole && others !== null ? { mark, settings, others, rhythm: next } : null)
    const bound = pool.options.leaveWhenIdle ? Math.max(50, settings.idleMs) : next.liveness
    yield* pause(pool, told, next, bound, seen)
  }
  yield* Effect.logInfo(`worker ${pool.worker.id} leaves`)
})
