/** Stops the processes of a running task where they are while a person wants that, and lets them continue afterwards. */
import * as Effect from "effect/Effect"
import type { Claim } from "../../domain/worker/Claim.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Host } from "../../services/Host.ts"
import { Spawner, type Target } from "../../services/Spawner.ts"
import { type Holder, WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/**
 * To be called at each look with what is wanted; returns the claim row as it is then. The row says that processes may be stopped before
 * the first is, and until after the last continues: whichever worker dies in between, the next one completes the step.
 */
export const makeFreezer = (holder: Holder) => {
  /** This worker has seen all of them stopped. What another one did may have been half of it. */
  let complete = false

  const freeze = Effect.fn("freezer.freeze")(function* <E, R>(claim: Claim, target: Effect.Effect<Target, E, R>) {
    const registry = yield* WorkerRegistry
    const spawner = yield* Spawner
    const uptimeMs = yield* (yield* Host).uptimeMs
    const frozen = yield* retryWhileStorageFails(registry.freezing(holder, uptimeMs))
    yield* failpoint("freeze.recorded")
    const { left, stopped } = yield* spawner.freeze(yield* target)
    yield* failpoint("freeze.stopped")
    if (left > 0) yield* Effect.logWarning(`task ${claim.taskId}: ${left} processes cannot be stopped`)
    yield* retryWhileStorageFails(registry.frozen(holder))
    yield* failpoint("freeze.confirmed")
    complete = true
    yield* Effect.logInfo(`task ${claim.taskId} is frozen: ${stopped} processes`)
    return frozen
  })

  const thaw = Effect.fn("freezer.thaw")(function* <E, R>(claim: Claim, target: Effect.Effect<Target, E, R>) {
    const registry = yield* WorkerRegistry
    const spawner = yield* Spawner
    complete = false
    yield* spawner.thaw(yield* target)
    yield* failpoint("thaw.continued")
    const uptimeMs = yield* (yield* Host).uptimeMs
    const thawed = yield* retryWhileStorageFails(registry.thawed(holder, uptimeMs))
    yield* Effect.logInfo(`task ${claim.taskId} continues`)
    return thawed
  })

  return <E, R>(claim: Claim, wanted: boolean, target: Effect.Effect<Target, E, R>) =>
    wanted
      ? complete
        ? Effect.succeed(claim)
        : freeze(claim, target)
      : claim.frozenUptime === null
        ? Effect.succeed(claim)
        : thaw(claim, target)
}
