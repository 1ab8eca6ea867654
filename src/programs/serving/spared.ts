/** Which processes belong to a claim, and which of them no signal may reach. */
import * as Effect from "effect/Effect"
import type { Claim } from "../../domain/worker/Claim.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"
import type { Target } from "../../services/Spawner.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** The task's processes. Enough to look at them; before a signal is sent `spared` adds who must not get it. */
export const targetOf = (claim: Claim): Target => ({
  taskId: claim.taskId,
  claimId: claim.claimId,
  process: claim.process,
  bootId: claim.bootId,
  spare: []
})

/** The task's processes, and the live workers that must be spared wherever they are in its tree. */
export const spared = Effect.fn("spared")(function* (own: Worker, claim: Claim) {
  const registry = yield* WorkerRegistry
  const processes = yield* Processes
  const workers = yield* retryWhileStorageFails(registry.workers)
  const known = workers.map((worker) => worker.process)
  const spare = yield* Effect.filter(known, (one) => Effect.map(processes.alive(one), (alive) => alive !== "dead"))
  return { ...targetOf(claim), spare: [own.process, ...spare] }
})
