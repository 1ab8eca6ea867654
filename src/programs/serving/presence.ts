/** What a worker knows of the others, and writes about itself, where a look at a process cannot answer. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Claim, ClaimId } from "../../domain/worker/Claim.ts"
import { nearness } from "../../domain/worker/Process.ts"
import { seenEveryMs, unseenMs, type Worker, type WorkerId } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { seenWorkers } from "./Seen.ts"

/** A worker that cannot be seen and has nothing to do writes nothing: its row is kept so long, in milliseconds. */
const forgottenMs = 24 * 60 * 60_000

/** What a worker that cannot be seen last wrote, and when that was first read, by a clock that never jumps. */
interface Unseen {
  readonly seenAt: number
  readonly sinceMs: number
}

export interface Presence {
  /** Workers whose claims may be taken over: dead, or silent for minutes where they cannot be seen. */
  readonly gone: (workers: ReadonlyArray<Worker>) => Effect.Effect<ReadonlySet<WorkerId>>
  /**
   * Of claims whose workers have taken themselves off the list, those that may be taken over: their processes can be seen
   * from here, or no other worker has taken them over for minutes. To be called with all such claims at each look.
   */
  readonly left: (claims: ReadonlyArray<Claim>) => Effect.Effect<ReadonlyArray<Claim>>
  /** Whether the row of a worker that is gone may be removed. One that cannot be seen may only have had nothing to do. */
  readonly mayForget: (worker: Worker) => Effect.Effect<boolean>
  /** Writes about every half minute that this worker lives. To be called while it has work. */
  readonly write: Effect.Effect<void, Effect.Effect.Error<ReturnType<WorkerRegistry["Type"]["register"]>>>
  /** How often it was written: each time one row has changed. */
  readonly writes: () => number
}

export const makePresence = Effect.fn("makePresence")(function* (own: Worker) {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const unseen = new Map<WorkerId, Unseen>()
  let lostSince: ReadonlyMap<ClaimId, number> = new Map()
  let writtenAt = own.seenAt
  let writes = 0

  const isSilent = Effect.fn("presence.isSilent")(function* ({ id, seenAt }: Worker) {
    const nowMs = yield* elapsedMs
    const known = unseen.get(id)
    if (known === undefined || known.seenAt !== seenAt) {
      unseen.set(id, { seenAt, sinceMs: nowMs })
      return false
    }
    return nowMs - known.sinceMs > unseenMs
  })

  const presence: Presence = {
    gone: Effect.fn("presence.gone")(function* (workers) {
      const gone = new Set<WorkerId>()
      for (const worker of workers) {
        if (worker.id === own.id) continue
        const alive = yield* processes.alive(worker.process)
        if (alive !== "unknown") unseen.delete(worker.id)
        if (alive === "dead" || (alive === "unknown" && (yield* isSilent(worker)))) gone.add(worker.id)
      }
      return gone
    }),
    left: Effect.fn("presence.left")(function* (claims) {
      const here = yield* processes.bootId
      const nowMs = yield* elapsedMs
      const hidden = claims.filter(({ bootId }) => nearness(bootId, here) === "hidden")
      const since = (claim: Claim) => lostSince.get(claim.claimId) ?? nowMs
      lostSince = new Map(hidden.map((claim) => [claim.claimId, since(claim)]))
      return claims.filter((claim) => !hidden.includes(claim) || nowMs - since(claim) > unseenMs)
    }),
    mayForget: ({ id, seenAt }) =>
      Effect.map(Clock.currentTimeMillis, (now) => !unseen.has(id) || now - seenAt >= forgottenMs),
    write: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      // A clock that was set back must not keep it silent.
      if (Math.abs(now - writtenAt) < seenEveryMs) return
      yield* registry.register({ ...own, seenAt: now })
      writtenAt = now
      writes += 1
    }),
    writes: () => writes
  }
  return presence
})

/** How many workers serve the queue that have been here longer. The first fires due schedules. */
export const rankOf = Effect.fn("rankOf")(function* (own: WorkerId) {
  const all = (yield* seenWorkers()).filter(({ serving, worker }) => serving === "serves" || worker.id === own)
  return Math.max(
    0,
    all.findIndex(({ worker }) => worker.id === own)
  )
})

/** Whether another process has migrated the database since, or the file is gone: this worker cannot serve it any more. */
export const cannotServe = Effect.gen(function* () {
  const { known, stored } = yield* (yield* WorkerRegistry).schema
  if (stored > known)
    yield* Effect.logWarning("the database was brought to a newer schema: this worker is too old for it")
  return stored > known
}).pipe(
  Effect.catchIf(
    ({ reason }) => reason === "moved",
    ({ path }) =>
      Effect.as(Effect.logWarning(`${path} was removed or replaced: this worker leaves, agents continue`), true)
  )
)
