/** The start of a fresh claim's agent, with what its task goes on from, and what is noted of the moment. */
import * as Effect from "effect/Effect"
import type { Runtime } from "../domain/Runtime.ts"
import { Checkpoints } from "../services/Checkpoints.ts"
import { Git } from "../services/Git.ts"
import type { Claim } from "../services/Queue.ts"
import { Spawner } from "../services/Spawner.ts"
import { WorkerRegistry } from "../services/WorkerRegistry.ts"
import { persist } from "./persist.ts"
import { promptAtStart } from "./upstream.ts"

/** Records where the repository stands. Runs beside the start, which does not wait for it. */
export const recordHead = Effect.fn("recordHead")(function* (claim: Claim) {
  const git = yield* Git
  const checkpoints = yield* Checkpoints
  const head = yield* git.head(claim.task.directory)
  if (head !== null) yield* persist(checkpoints.started(claim.worker.claimId, head))
})

/** Starts it; the worker row as it is then. What keeps it from starting is a `SpawnFailed`. */
export const startAgent = Effect.fn("startAgent")(function* (claim: Claim, runtime: Runtime) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const asked = { ...claim, task: { ...claim.task, prompt: yield* promptAtStart(claim) } }
  const process = yield* spawner.start(asked, runtime.process)
  return yield* persist(registry.started({ claimId: claim.worker.claimId, runtimeId: runtime.id }, process))
})
