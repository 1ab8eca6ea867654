/** The end of a claimed task of which something cannot be read that looking after it needs. */
import * as Effect from "effect/Effect"
import type { StorageError } from "../../domain/Errors.ts"
import { outcome } from "../../domain/task/Outcome.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Queue } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { spared } from "../serving/spared.ts"
import { sealTask } from "../workspaces/sealTask.ts"

const unreadable = (unstarted: boolean) =>
  outcome({
    status: "failed",
    cause: unstarted ? "spawn-failed" : "owner-lost",
    error:
      "What is stored of it cannot be read by this version of Backbeat, so it was ended. Its output is kept. Submit it again."
  })

/** What it left is a commit before it ends, if enough of it can be read; else the seal of its workspace's reclaim has it. */
const sealed = (claim: Claim) =>
  Effect.flatMap(Tasks, (tasks) => retryWhileStorageFails(tasks.summary(claim.taskId))).pipe(
    Effect.flatMap((task) => sealTask({ claim, task })),
    Effect.catchAll((error) => Effect.logWarning(`task ${claim.taskId} was not sealed: ${error.message}`))
  )

/** Ends a task of which something cannot be read that its end needs, once its processes are gone. */
export const endUnreadable = Effect.fn("endUnreadable")(function* (
  { graceMs, worker, claim }: { readonly graceMs: number; readonly worker: Worker; readonly claim: Claim },
  error: StorageError
) {
  const queue = yield* Queue
  const spawner = yield* Spawner
  yield* Effect.logError(`task ${claim.taskId} is ended: ${error.message} ${String(error.cause)}`)
  const target = yield* spared(worker, claim)
  const unstarted = yield* spawner.revoke(claim.claimId)
  if (!unstarted) {
    const { left } = yield* spawner.stop(target, graceMs)
    // Another attempt follows: the row is still this worker's.
    if (left > 0) return yield* Effect.logWarning(`task ${claim.taskId}: ${left} processes do not die yet`)
  }
  yield* sealed(claim)
  const holder = { claimId: claim.claimId, workerId: worker.id }
  yield* retryWhileStorageFails(queue.finish(claim.taskId, unreadable(unstarted), holder)).pipe(
    Effect.zipRight(spawner.discard(claim.claimId)),
    Effect.catchTags({
      TaskStateConflict: (conflict) => Effect.logInfo(`no longer ours: ${conflict.message}`),
      TaskNotFound: (missing) => Effect.logWarning(missing.message)
    })
  )
})
