/** Makes a worker pool: its row in the registry, and the parts that its loop works with. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import type { StorageError } from "../../domain/Errors.ts"
import { whileRegistering } from "../../domain/RetrySchedules.ts"
import type { ClaimId } from "../../domain/worker/Claim.ts"
import type { Worker, WorkerId, WorkerKind } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { type CheckpointKeeper, makeCheckpointKeeper } from "../checkpoints/makeCheckpointKeeper.ts"
import { type Deliverer, makeDeliverer } from "../hooks/Deliverer.ts"
import { makeUpkeep } from "../limits/makeUpkeep.ts"
import { makeSettling } from "../worker/admission.ts"
import { type CalmWatch, makeCalmWatch } from "./calmWatch.ts"
import { makePresence, type Presence } from "./presence.ts"
import { type KnownSettings, readSettings } from "./readSettings.ts"
import { makeStillWatch, type StillWatch } from "./stillWatch.ts"
import { makeSignalBoard, type SignalBoard } from "./TaskSignals.ts"
import { regularly, tidyRegularly } from "./tidy.ts"

export interface PoolOptions {
  readonly kind: WorkerKind
  readonly version: string
  /** Leave when nothing is queued, running or scheduled. */
  readonly leaveWhenIdle: boolean
}

/** A registration that the lock of the database refuses is tried again. */
const isLocked = ({ reason }: StorageError) => reason === "busy"

/** How long a worker tries to take itself off the list while the database is locked. A server has to launch another one in the rest of its time. */
const leaveWithin: Readonly<Record<WorkerKind, Duration.DurationInput>> = {
  mcp: "250 millis",
  worker: "1 second",
  "on-demand": "1 second"
}

/** One worker's running parts. */
export interface Pool {
  readonly options: PoolOptions
  readonly worker: Worker
  readonly fibers: FiberMap.FiberMap<ClaimId>
  readonly signals: SignalBoard
  readonly wake: EffectQueue.Queue<void>
  readonly checkpoints: CheckpointKeeper
  readonly hooks: Deliverer
  /** How many older workers serve the queue. The oldest fires due schedules immediately, and the others only those it leaves. */
  readonly rank: Ref.Ref<number>
  readonly settling: ReturnType<typeof makeSettling>
  readonly presence: Presence
  readonly lastSettings: Ref.Ref<KnownSettings>
  readonly still: StillWatch
  readonly calm: CalmWatch
}

/**
 * Registers the worker, and opens what it works with, until the scope is closed. Closing it leaves agents running and their
 * rows in place; the worker takes itself off the list.
 */
export const openPool = Effect.fn("openPool")(function* (id: WorkerId, options: PoolOptions) {
  const processes = yield* Processes
  const registry = yield* WorkerRegistry
  const settingsStore = yield* SettingsStore
  const startedAt = yield* Clock.currentTimeMillis
  const { file, known } = yield* registry.schema
  const worker: Worker = {
    id,
    kind: options.kind,
    process: yield* processes.self,
    version: options.version,
    schema: known,
    uid: processes.uid,
    file,
    startedAt,
    seenAt: startedAt
  }
  const lastSettings = yield* Ref.make<KnownSettings>({ settings: yield* settingsStore.get, problem: null })

  yield* Effect.acquireRelease(
    Effect.retry(registry.register(worker), { while: isLocked, schedule: whileRegistering() }),
    () =>
      // The row of a worker that could not take itself off is seen to be dead by the next one.
      registry
        .leave(worker.id, "always")
        .pipe(Effect.interruptible, Effect.timeout(leaveWithin[options.kind]), Effect.ignoreLogged)
  )
  const wake = yield* EffectQueue.sliding<void>(1)
  const pool: Pool = {
    options,
    worker,
    fibers: yield* FiberMap.make<ClaimId>(),
    signals: makeSignalBoard(),
    wake,
    hooks: yield* makeDeliverer(worker.id, EffectQueue.offer(wake, undefined)),
    checkpoints: yield* makeCheckpointKeeper(worker.id),
    rank: yield* Ref.make(1),
    settling: makeSettling(),
    presence: yield* makePresence(worker),
    lastSettings,
    still: makeStillWatch(worker.id, options.leaveWhenIdle),
    calm: makeCalmWatch()
  }
  yield* Effect.logInfo(`worker ${worker.id} (${worker.kind}, pid ${worker.process.pid}) started`)

  yield* tidyRegularly(readSettings(lastSettings), pool.still.rarely)
  const upkeep = pool.still.rarely(pool.calm.rarely(Effect.flatMap(readSettings(lastSettings), makeUpkeep())))
  yield* regularly("limits were not looked after", upkeep, "10 seconds")
  return pool
})
