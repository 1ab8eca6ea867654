/** Running tasks that no worker looks after: any process that reads them finds them, says so, and gives them a worker. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { TaskId } from "../../domain/task/Task.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { type Seen, seenWorkers } from "./Seen.ts"

/**
 * `worker-lost`: the worker is gone, and another has to say how the task ended. `worker-stopped`: the worker lives
 * and does nothing. `worker-unseen`: it belongs to another container or host and has not written for minutes.
 * `worker-copied`: the database was copied while the worker lived, which serves the original.
 */
export const Neglect = Schema.Literal("worker-lost", "worker-stopped", "worker-unseen", "worker-copied").annotations({
  identifier: "Neglect"
})
export type Neglect = typeof Neglect.Type

export const Neglected = Schema.Struct({
  reason: Neglect,
  /** The worker; null where its row is gone too. */
  pid: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "Neglected" })
export type Neglected = typeof Neglected.Type

export const neglectOf = ({ workerId }: Claim, seen: ReadonlyArray<Seen>): Neglected | null => {
  const owner = seen.find(({ worker }) => worker.id === workerId)
  if (owner === undefined) return { reason: "worker-lost", pid: null }
  const { pid } = owner.worker.process
  switch (owner.serving) {
    case "dead":
      return { reason: "worker-lost", pid }
    case "stopped":
      return { reason: "worker-stopped", pid }
    case "unseen":
      return { reason: "worker-unseen", pid }
    case "other-file":
      return { reason: "worker-copied", pid }
    default:
      return null
  }
}

/** The neglected ones among these tasks. */
export const neglected = Effect.fn("neglected")(function* (ids: ReadonlyArray<TaskId>) {
  const registry = yield* WorkerRegistry
  const found = new Map<TaskId, Neglected>()
  if (ids.length === 0) return found
  // In this order: a worker registers before it claims, so the owner of a row seen here is on the list, or has left.
  const claims = yield* Effect.forEach(ids, (id) => registry.claimOf(id))
  const seen = yield* seenWorkers()
  for (const claim of claims.flatMap(Option.toArray)) {
    const neglect = neglectOf(claim, seen)
    if (neglect !== null) found.set(claim.taskId, neglect)
  }
  return found
})

/**
 * Gives tasks that have lost their worker another one: true when one was launched. Where that fails the task stays as it
 * is, and the next look tries again.
 */
export const rescue = Effect.fn("rescue")(function* (found: ReadonlyMap<TaskId, Neglected>) {
  if (!Array.from(found.values()).some(({ reason }) => reason !== "worker-stopped")) return false
  return yield* ensureWorker().pipe(
    Effect.catchTags({
      WorkerUnavailable: (error) => Effect.as(Effect.logDebug(error.message), false),
      StorageError: (error) => Effect.as(Effect.logDebug(error.message), false)
    })
  )
})

/** The words for it, after "It" or "Task ID". */
export const neglectWords = ({ reason, pid }: Neglected): string => {
  switch (reason) {
    case "worker-lost":
      return `has lost its worker${pid === null ? "" : ` (pid ${pid} is gone)`}: the next worker says within seconds how it ended`
    case "worker-stopped":
      return `has a worker that is stopped (pid ${pid}): kill -CONT ${pid}`
    case "worker-unseen":
      return "belongs to a worker in another container or on another host: another one takes it over after 5 minutes of silence"
    case "worker-copied":
      return `runs in another copy of this database (worker pid ${pid}), and ends here after it`
  }
}
