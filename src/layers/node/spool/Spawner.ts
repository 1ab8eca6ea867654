/** Agent processes: started through the shim, observed through their spool, stopped by what the system shows. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import type { ProcessCpu } from "../../../domain/task/Stall.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import { nearness, type ProcessIdentity } from "../../../domain/worker/Process.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { Paths } from "../../../services/Paths.ts"
import { Processes } from "../../../services/Processes.ts"
import { type Observation, Spawner, type Target } from "../../../services/Spawner.ts"
import { WorkerCommand } from "../../../services/WorkerCommand.ts"
import { keyOf, reader } from "../process/ProcessReader.ts"
import { endTree, look, type Scope } from "../process/TreeEnding.ts"
import { freezeTree, thawTree } from "../process/TreeFreezing.ts"
import * as Input from "./Input.ts"
import { mountObstacle } from "./Mount.ts"
import { endOf } from "./Shim.ts"
import { makeStart } from "./ShimStart.ts"
import * as Spool from "./Spool.ts"
import { makeSpoolBells } from "./SpoolWatcher.ts"

/** How long a shim that took the token may take to report its identity, in milliseconds. */
const toldWithin = 10_000

/** Milliseconds between two looks at an agent whose events do not reach this process. */
const unheardMs = 250

const none: ReadonlySet<string> = new Set()

const make = Effect.gen(function* () {
  const paths = yield* Paths
  const processes = yield* Processes
  const { command } = yield* WorkerCommand
  const bootId = yield* processes.bootId
  const self = yield* processes.self
  const filesOf = (claimId: ClaimId) => Spool.filesOf(paths.spool, claimId)
  /** Shims that this process started: their ends are reported to it. */
  const own = new Map<ClaimId, Deferred.Deferred<void>>()

  /** Since when this process sees a token that was taken by a shim which has not reported its identity. */
  const untold = new Map<ClaimId, number>()

  const bells = yield* makeSpoolBells

  /** Returns when the shim that this process started ends. It does so once; later ends are found by looking. */
  const childEnd = (claimId: ClaimId, ended: Deferred.Deferred<void>) =>
    Effect.tap(Deferred.await(ended), () => Effect.sync(() => own.delete(claimId)))

  const start = makeStart({ spool: paths.spool, bootId, command, own })

  const scopeOf = Effect.fn("Spawner.scopeOf")(function* (target: Target, withoutShim: boolean) {
    const files = filesOf(target.claimId)
    const shim = (yield* Spool.shimOf(files)) ?? target.process
    const scope: Scope = {
      taskId: target.taskId,
      // Numbers of another boot mean nothing in this one.
      shim: shim?.bootId === bootId ? shim : null,
      spared: new Set([self, ...target.spare].filter((process) => process.bootId === bootId).map(keyOf)),
      agentEnded: withoutShim ? Effect.succeed(true) : Spool.agentEnded(files),
      withoutShim
    }
    return scope
  })

  const membersOf = Effect.fn("Spawner.membersOf")(function* (target: Target) {
    const tree = yield* look(reader, yield* scopeOf(target, false), none)
    return tree.shim === null ? tree.members : [tree.shim, ...tree.members]
  })

  const exited = Effect.fn("Spawner.exited")(function* (target: Target, process: ProcessIdentity | null) {
    const exit = yield* Spool.exitOf(filesOf(target.claimId))
    return exit === null
      ? null
      : ({ _tag: "Exited", end: endOf(exit.code), process, endedAt: exit.writtenAt } satisfies Observation)
  })

  const observe = Effect.fn("Spawner.observe")(function* (target: Target) {
    const files = filesOf(target.claimId)
    const told = (yield* Spool.shimOf(files)) ?? target.process
    const end = yield* exited(target, told)
    if (end !== null) return end
    if (told !== null) {
      untold.delete(target.claimId)
      const alive = yield* processes.alive(told)
      if (alive === "alive") return { _tag: "Running", process: told } satisfies Observation
      if (alive === "unknown") return { _tag: "Hidden" } satisfies Observation
      // It may have written its last word between the two looks.
      const late = yield* exited(target, told)
      return late ?? ({ _tag: "Lost", survivors: (yield* membersOf(target)).length } satisfies Observation)
    }
    const token = yield* Spool.tokenOf(files)
    if (token === "free" || token === "revoked") return { _tag: "NotStarted" } satisfies Observation
    if (nearness(target.bootId, bootId) === "hidden") return { _tag: "Hidden" } satisfies Observation
    const now = yield* elapsedMs
    // Measured here: the date of a file and a clock that was set say nothing about how long this shim has had.
    const since = untold.get(target.claimId) ?? now
    untold.set(target.claimId, since)
    const members = now - since < toldWithin ? null : (yield* membersOf(target)).length
    return (members === 0 ? { _tag: "Lost", survivors: members } : { _tag: "Starting" }) satisfies Observation
  })

  return Spawner.of({
    mountObstacle: (over, userHome) => mountObstacle(over, userHome, paths.home),
    start,
    observe,
    revoke: Effect.fn("Spawner.revoke")(function* (claimId) {
      const answer = yield* Spool.revoke(filesOf(claimId))
      yield* failpoint("revoke.answered")
      if (answer === "won" || answer === "lost") return answer === "won"
      // Without the token nothing is certain, and "not revoked" is the answer that starts nothing twice.
      yield* Effect.logWarning(answer.message)
      return false
    }),
    transferOwnership: Effect.fn("Spawner.reown")((claimId, owner) =>
      Spool.transferOwnership(filesOf(claimId), owner).pipe(
        // Without a spool no shim can report an end.
        Effect.catchTag("SpawnFailed", (error) =>
          error.detail === "ENOENT" ? Effect.void : Effect.logWarning(error.message)
        )
      )
    ),
    read: Effect.fn("Spawner.read")((claimId, stream, offset, limit, before) =>
      Spool.read(filesOf(claimId), stream, offset, limit, before)
    ),
    tell: Effect.fn("Spawner.tell")((claimId, id, text) => Input.tell(filesOf(claimId), id, text)),
    endInput: Effect.fn("Spawner.endInput")((claimId) => Input.close(filesOf(claimId))),
    printed: Effect.fn("Spawner.printed")((claimId, stream) => Spool.sizeOf(filesOf(claimId), stream)),
    pause: Effect.fn("Spawner.pause")(function* (claimId, withinMs) {
      const ended = own.get(claimId)
      yield* ended === undefined ? Effect.sleep(withinMs) : Effect.timeoutOption(childEnd(claimId, ended), withinMs)
    }),
    rest: Effect.fn("Spawner.rest")(function* (claimId, withinMs) {
      const ended = own.get(claimId)
      const bell = ended === undefined ? null : yield* bells.at(claimId, filesOf(claimId))
      if (ended === undefined || bell === null) return yield* Effect.sleep(Math.min(withinMs, unheardMs))
      // The caller looks once more: changes are reported only from now on.
      if (bell.fresh) return
      yield* Effect.timeoutOption(Effect.raceFirst(childEnd(claimId, ended), Deferred.await(bell.rung)), withinMs)
    }),
    stop: Effect.fn("Spawner.stop")(function* (target, graceMs) {
      return yield* endTree(reader, yield* scopeOf(target, false), graceMs)
    }),
    freeze: Effect.fn("Spawner.freeze")(function* (target) {
      return yield* freezeTree(reader, yield* scopeOf(target, false))
    }),
    thaw: Effect.fn("Spawner.thaw")(function* (target) {
      return yield* thawTree(reader, yield* scopeOf(target, false))
    }),
    sweep: Effect.fn("Spawner.sweep")(function* (target, graceMs) {
      return (yield* endTree(reader, yield* scopeOf(target, true), graceMs)).ended
    }),
    cpuUse: Effect.fn("Spawner.cpuUse")(function* (target) {
      const shim = (yield* Spool.shimOf(filesOf(target.claimId))) ?? target.process
      return (yield* membersOf(target)).map((entry): ProcessCpu => {
        // The shim leads both. Where sessions are unknown, only the group says which processes are the agent's own.
        const own = entry.session === shim?.pid || entry.group === shim?.pid
        const { ownMillis, waitedMillis } = entry
        return { key: keyOf(entry), role: own ? "agent" : "tool", ownMillis, waitedMillis }
      })
    }),
    discard: Effect.fn("Spawner.discard")(function* (claimId) {
      own.delete(claimId)
      untold.delete(claimId)
      bells.remove(claimId)
      yield* Spool.discard(filesOf(claimId)).pipe(
        Effect.catchTag("SpawnFailed", (error) => Effect.logWarning(error.message))
      )
    }),
    spools: Spool.claims(paths.spool, 10_000)
  })
})

export const layer = Layer.scoped(Spawner, make)
