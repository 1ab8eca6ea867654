/** Removes the spools of claims that are over, which a crash after the end, or a claim put back, has left behind. */
import * as Effect from "effect/Effect"
import { Spawner } from "../../services/Spawner.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"

/** Looks through at most 10,000 spools. */
export const tidy = Effect.fn("tidy")(function* () {
  const spawner = yield* Spawner
  const registry = yield* WorkerRegistry
  // In this order: a spool that is seen here had its claim row before, so without one now it is left over.
  const spools = yield* spawner.spools
  if (spools.length === 0) return 0
  const held = new Set((yield* registry.claims).map((claim) => claim.claimId))
  const over = spools.filter((claimId) => !held.has(claimId))
  yield* Effect.forEach(over, (claimId) => spawner.discard(claimId), { discard: true })
  return over.length
})
