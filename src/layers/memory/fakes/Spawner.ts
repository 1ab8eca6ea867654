/** A spawner that starts nothing: its processes print, fork and end as `SpawnerControl` says. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import { SpawnFailed } from "../../../domain/Errors.ts"
import { OutputEmptied } from "../../../domain/output/OutputEmptied.ts"
import type { ProcessEnd } from "../../../domain/task/Agent.ts"
import type { CpuUse, ProcessCpu } from "../../../domain/task/Stall.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import type { ProcessIdentity } from "../../../domain/worker/Process.ts"
import type { ClaimedTask } from "../../../services/Queue.ts"
import { type Observation, Spawner, type Target } from "../../../services/Spawner.ts"
import { type Obedience, SpawnerControl } from "./SpawnerControl.ts"

/** The contents of a spool directory, and the processes that belong to it. */
interface Spool {
  readonly token: "free" | "taken" | "revoked"
  readonly shim: ProcessIdentity | null
  readonly owner: ProcessIdentity | null
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly end: ProcessEnd | null
  readonly endedAt: number | null
  readonly lost: boolean
  /** Living processes of the tree other than the shim and the agent. */
  readonly forks: ReadonlyArray<ProcessIdentity>
  readonly obeys: Obedience
  readonly told: ReadonlyArray<{ readonly id: string; readonly text: string }>
  readonly inputEnded: boolean
  readonly frozen: boolean
  readonly cpuMillis: Readonly<Record<ProcessCpu["role"], number>>
  /** Rung when something changed. */
  readonly bell: EffectQueue.Queue<void>
}

const same = (left: ProcessIdentity) => (right: ProcessIdentity) =>
  left.pid === right.pid && left.startTime === right.startTime && left.bootId === right.bootId

const joined = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const both = new Uint8Array(left.length + right.length)
  both.set(left)
  both.set(right, left.length)
  return both
}

const isRunning = (spool: Spool): boolean => spool.token === "taken" && spool.end === null && !spool.lost

const cpuUse = (spool: Spool | undefined): CpuUse =>
  spool === undefined || !isRunning(spool)
    ? []
    : [
        { key: "agent", role: "agent", ownMillis: spool.cpuMillis.agent, waitedMillis: 0 },
        { key: "tool", role: "tool", ownMillis: spool.cpuMillis.tool, waitedMillis: 0 }
      ]

/** The forked processes that a signal may reach. */
const reachable = (spool: Spool, { spare }: Target) => spool.forks.filter((fork) => !spare.some(same(fork)))

const observation = (spool: Spool | undefined, target: Target): Observation => {
  if (spool === undefined || spool.token !== "taken") return { _tag: "NotStarted" }
  if (spool.end !== null) return { _tag: "Exited", end: spool.end, process: spool.shim, endedAt: spool.endedAt }
  if (spool.lost) return { _tag: "Lost", survivors: reachable(spool, target).length }
  return spool.shim === null ? { _tag: "Starting" } : { _tag: "Running", process: spool.shim }
}

const make = Effect.gen(function* () {
  const spools = yield* Ref.make<ReadonlyMap<ClaimId, Spool>>(new Map())
  const pids = yield* Ref.make(10_000)
  const failure = yield* Ref.make<SpawnFailed | null>(null)
  const hanging = yield* Ref.make(false)
  const starts = yield* Ref.make(0)
  const started = yield* EffectQueue.unbounded<ClaimedTask>()

  const identity = (bootId: string) =>
    Effect.map(
      Ref.updateAndGet(pids, (pid) => pid + 1),
      (pid): ProcessIdentity => ({ pid, startTime: `${pid}`, bootId })
    )

  const find = (claimId: ClaimId) => Effect.map(Ref.get(spools), (all) => all.get(claimId))

  const open = Effect.fn("Spawner.open")(function* (claimId: ClaimId) {
    const known = yield* find(claimId)
    if (known !== undefined) return known
    const none = new Uint8Array()
    const fresh: Spool = {
      token: "free",
      shim: null,
      owner: null,
      stdout: none,
      stderr: none,
      end: null,
      endedAt: null,
      lost: false,
      forks: [],
      obeys: "term",
      told: [],
      inputEnded: false,
      frozen: false,
      cpuMillis: { agent: 0, tool: 0 },
      bell: yield* EffectQueue.dropping<void>(1)
    }
    return yield* Ref.modify(spools, (all) => {
      const other = all.get(claimId)
      return other === undefined ? [fresh, new Map(all).set(claimId, fresh)] : [other, all]
    })
  })

  /** Changes a spool in one step and rings its bell; the spool before and after. */
  const change = Effect.fn("Spawner.change")(function* (claimId: ClaimId, fields: (spool: Spool) => Partial<Spool>) {
    const step = yield* Ref.modify(spools, (all) => {
      const before = all.get(claimId)
      if (before === undefined) return [null, all]
      const after = { ...before, ...fields(before) }
      return [{ before, after }, new Map(all).set(claimId, after)]
    })
    if (step === null) return yield* Effect.dieMessage(`claim ${claimId} has no spool`)
    yield* EffectQueue.offer(step.after.bell, undefined)
    return step
  })

  /** Takes the start token if it is free; the spool as it was before. */
  const takeToken = (claimId: ClaimId, as: "taken" | "revoked", owner: ProcessIdentity | null) =>
    Effect.map(
      Effect.zipRight(
        open(claimId),
        change(claimId, ({ token }) => (token === "free" ? { token: as, owner } : {}))
      ),
      (step) => step.before
    )

  const refused = (claimed: ClaimedTask, detail: string) =>
    new SpawnFailed({ reason: "system", subject: claimed.launch.file, detail })

  const start = Effect.fn("Spawner.start")(function* (claimed: ClaimedTask, owner: ProcessIdentity) {
    const { claimId, bootId } = claimed.claim
    const error = yield* Ref.getAndSet(failure, null)
    if (error !== null) return yield* error
    const spool = yield* takeToken(claimId, "taken", owner)
    if (spool.token === "revoked") return yield* refused(claimed, "the start was revoked")
    if (spool.token === "taken") return spool.shim ?? (yield* refused(claimed, "it is being started elsewhere"))
    if (yield* Ref.getAndSet(hanging, false)) return yield* Effect.never
    const shim = yield* identity(bootId)
    yield* change(claimId, () => ({ shim }))
    yield* Ref.update(starts, (count) => count + 1)
    yield* EffectQueue.offer(started, claimed)
    return shim
  })

  const stop = Effect.fn("Spawner.stop")(function* (target: Target, graceMs: number) {
    const before = yield* find(target.claimId)
    if (before === undefined || before.token !== "taken") return { ended: 0, left: 0 }
    const living = () =>
      Effect.map(open(target.claimId), (spool) => (isRunning(spool) ? 1 : 0) + reachable(spool, target).length)
    const count = yield* living()
    if (count === 0) return { ended: 0, left: 0 }
    if (before.obeys !== "term") yield* Effect.sleep(graceMs)
    if (before.obeys === "nothing") return { ended: 0, left: yield* living() }
    const end = before.obeys === "term" ? { exitCode: 143, signal: "SIGTERM" } : { exitCode: 137, signal: "SIGKILL" }
    const now = yield* Clock.currentTimeMillis
    yield* change(target.claimId, (spool) => ({
      ...(isRunning(spool) ? { end, endedAt: now } : {}),
      forks: spool.forks.filter((fork) => target.spare.some(same(fork)))
    }))
    return { ended: count, left: 0 }
  })

  const untilChange = function* (claimId: ClaimId, withinMs: number) {
    const spool = yield* find(claimId)
    const change = spool === undefined ? Effect.never : EffectQueue.take(spool.bell)
    yield* Effect.timeoutOption(change, withinMs)
  }

  const spawner = Spawner.of({
    mountObstacle: () => Effect.succeed("nothing is mounted in memory"),
    start,
    stop,
    observe: (target) => Effect.map(find(target.claimId), (spool) => observation(spool, target)),
    revoke: (claimId) => Effect.map(takeToken(claimId, "revoked", null), (spool) => spool.token !== "taken"),
    transferOwnership: (claimId, owner) =>
      Effect.flatMap(find(claimId), (spool) =>
        spool === undefined ? Effect.void : Effect.asVoid(change(claimId, () => ({ owner })))
      ),
    read: (claimId, stream, offset, limit, before) =>
      Effect.flatMap(find(claimId), (spool) => {
        const bytes = spool?.[stream] ?? new Uint8Array()
        const known = before?.subarray(-Math.min(before.length, offset)) ?? new Uint8Array()
        const other = bytes.length > offset && known.some((byte, at) => byte !== bytes[offset - known.length + at])
        return before !== undefined && (bytes.length < offset || other)
          ? new OutputEmptied({ stream })
          : Effect.succeed(bytes.slice(offset, offset + limit))
      }),
    tell: Effect.fn("Spawner.tell")(function* (claimId, id, text) {
      const spool = yield* find(claimId)
      if (spool?.told.some((one) => one.id === id) === true) return true
      if (spool === undefined || spool.inputEnded) return false
      yield* change(claimId, ({ told }) => ({ told: [...told, { id, text }] }))
      return true
    }),
    endInput: (claimId) =>
      Effect.flatMap(find(claimId), (spool) =>
        spool === undefined ? Effect.void : Effect.asVoid(change(claimId, () => ({ inputEnded: true })))
      ),
    printed: (claimId, stream) => Effect.map(find(claimId), (spool) => spool?.[stream].length ?? 0),
    pause: Effect.fn("Spawner.pause")(untilChange),
    rest: Effect.fn("Spawner.rest")(untilChange),
    sweep: Effect.fn("Spawner.sweep")(function* (target, graceMs) {
      return (yield* stop(target, graceMs)).ended
    }),
    freeze: Effect.fn("Spawner.freeze")(function* (target) {
      const spool = yield* find(target.claimId)
      const living = spool === undefined ? 0 : (isRunning(spool) ? 1 : 0) + reachable(spool, target).length
      if (living > 0) yield* change(target.claimId, () => ({ frozen: true }))
      return { stopped: living, left: 0 }
    }),
    thaw: Effect.fn("Spawner.thaw")(function* (target) {
      const spool = yield* find(target.claimId)
      if (spool?.frozen !== true) return 0
      yield* change(target.claimId, () => ({ frozen: false }))
      return (isRunning(spool) ? 1 : 0) + reachable(spool, target).length
    }),
    cpuUse: (target) => Effect.map(find(target.claimId), cpuUse),
    discard: (claimId) => Ref.update(spools, (all) => new Map(Array.from(all).filter(([id]) => id !== claimId))),
    spools: Effect.map(Ref.get(spools), (all) => Array.from(all.keys()))
  })

  const control = SpawnerControl.of({
    started,
    starts: Ref.get(starts),
    print: (claimId, stream, output) => {
      const bytes = typeof output === "string" ? new TextEncoder().encode(output) : output
      return Effect.asVoid(change(claimId, (spool) => ({ [stream]: joined(spool[stream], bytes) })))
    },
    empty: (claimId, stream) => Effect.asVoid(change(claimId, () => ({ [stream]: new Uint8Array() }))),
    end: Effect.fn("SpawnerControl.end")(function* (claimId, end) {
      const endedAt = yield* Clock.currentTimeMillis
      yield* change(claimId, () => ({ end, endedAt }))
    }),
    lose: (claimId) => Effect.asVoid(change(claimId, () => ({ lost: true }))),
    fork: Effect.fn("SpawnerControl.fork")(function* (claimId, known) {
      const fork = known ?? (yield* identity("boot-1"))
      yield* change(claimId, (spool) => ({ forks: [...spool.forks, fork] }))
      return fork
    }),
    obey: (claimId, obeys) => Effect.asVoid(change(claimId, () => ({ obeys }))),
    useCpu: (claimId, millis, role = "agent") =>
      Effect.asVoid(
        change(claimId, ({ cpuMillis }) => ({ cpuMillis: { ...cpuMillis, [role]: cpuMillis[role] + millis } }))
      ),
    failNext: (error) => Ref.set(failure, error),
    hangNext: Ref.set(hanging, true),
    tell: Effect.fn("SpawnerControl.tell")(function* (claimId) {
      const shim = yield* identity("boot-1")
      yield* change(claimId, () => ({ shim }))
      return shim
    }),
    told: (claimId) => Effect.map(open(claimId), ({ told }) => told),
    inputEnded: (claimId) => Effect.map(open(claimId), ({ inputEnded }) => inputEnded),
    endInput: (claimId) => Effect.asVoid(change(claimId, () => ({ inputEnded: true }))),
    frozen: (claimId) => Effect.map(open(claimId), ({ frozen }) => frozen),
    ownerOf: (claimId) => Effect.map(open(claimId), (spool) => spool.owner)
  })

  return Context.make(Spawner, spawner).pipe(Context.add(SpawnerControl, control))
})

export const layer = Layer.effectContext(make)
