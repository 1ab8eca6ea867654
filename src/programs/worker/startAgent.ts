/** The start of a fresh claim's agent, with what its task goes on from, and what is noted of the moment. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Checkpoints } from "../../services/Checkpoints.ts"
import { count } from "../../services/Counters.ts"
import { Git } from "../../services/Git.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { promptAtStart } from "./upstream.ts"

/** Records where the repository stands. Runs beside the start, which does not wait for it. */
export const recordHead = Effect.fn("recordHead")(function* (claimed: ClaimedTask) {
  const git = yield* Git
  const checkpoints = yield* Checkpoints
  const head = yield* git.head(claimed.task.directory)
  if (head !== null) yield* retryWhileStorageFails(checkpoints.started(claimed.claim.claimId, head))
})

/** Starts it; the claim row as it is then. What keeps it from starting is a `SpawnFailed`. */
export const startAgent = Effect.fn("startAgent")(function* (claimed: ClaimedTask, worker: Worker) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const began = yield* elapsedMs
  const asked = { ...claimed, task: { ...claimed.task, prompt: yield* promptAtStart(claimed) } }
  const process = yield* spawner.start(asked, worker.process)
  yield* count("start_time", (yield* elapsedMs) - began)
  return yield* retryWhileStorageFails(
    registry.started({ claimId: claimed.claim.claimId, workerId: worker.id }, process)
  )
})
