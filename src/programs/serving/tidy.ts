/** Removes what tasks no longer need: spools of claims that are over, and workspaces that were not used for a time. */
import type { DurationInput } from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Settings } from "../../domain/settings/Settings.ts"
import { Spawner } from "../../services/Spawner.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { fitWorkspaces } from "../workspaces/fitWorkspaces.ts"
import { finishReclaims, tidyWorkspaces } from "../workspaces/tidyWorkspaces.ts"

/** A crash after the end of a task, or a claim put back, leaves its spool behind. Looks through at most 10,000. */
const tidySpools = Effect.fn("tidySpools")(function* () {
  const spawner = yield* Spawner
  const registry = yield* WorkerRegistry
  // In this order: a spool that is seen here had its claim row before, so without one now it is left over.
  const spools = yield* spawner.spools
  if (spools.length === 0) return
  const held = new Set((yield* registry.claims).map((claim) => claim.claimId))
  const over = spools.filter((claimId) => !held.has(claimId))
  yield* Effect.forEach(over, (claimId) => spawner.discard(claimId), { discard: true })
})

export const tidy = Effect.fn("tidy")(function* (settings: Settings) {
  yield* tidySpools()
  yield* tidyWorkspaces(settings)
})

/** Does something now and then, in a fiber of its scope. `otherwise` is logged when it fails; the next time comes anyway. */
export const regularly = <A, E, R>(otherwise: string, work: Effect.Effect<A, E, R>, every: DurationInput) =>
  work.pipe(
    Effect.catchAllCause((cause) => Effect.logWarning(otherwise, cause)),
    Effect.zipRight(Effect.sleep(every)),
    Effect.forever,
    Effect.forkScoped
  )

/** Spools and old workspaces take their time; what a task may wait for does not. */
export const tidyRegularly = <E, R>(
  settings: Effect.Effect<Settings, E, R>,
  rarely: <A, E2, R2>(work: Effect.Effect<A, E2, R2>) => Effect.Effect<void, E2, R2>
) =>
  Effect.all(
    [
      regularly("spools and workspaces were not tidied", Effect.flatMap(settings, tidy), "10 minutes"),
      regularly("killed reclaims were not finished", rarely(finishReclaims()), "10 seconds"),
      regularly(
        "workspaces were not fitted into their limit",
        rarely(Effect.flatMap(settings, fitWorkspaces)),
        "10 seconds"
      )
    ],
    { discard: true }
  )
