/** Stores the end of a supervised task: seals what it left, decides about another attempt, and hands the outcome to `Queue.finish`. */
import * as Effect from "effect/Effect"
import type { Outcome } from "../../domain/task/Outcome.ts"
import { type Held, Queue } from "../../services/Queue.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { recordCandidate } from "../contests/recordCandidate.ts"
import { recordWork } from "../loops/recordWork.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { sealTask } from "../workspaces/sealTask.ts"
import { autoRetry } from "./autoRetry.ts"

/** Returns the event of the end. Null: an end of the same claim by another worker is stored already, or the task was pruned. */
export const recordEnd = Effect.fn("recordEnd")(function* (
  claimed: Held,
  found: Outcome,
  holder: Holder,
  /** False where an agent may still run: a retry would be a second one. */
  mayRetry: boolean
) {
  const queue = yield* Queue
  // Where an agent may still run, its workspace is not whole yet.
  if (mayRetry) {
    const left = yield* sealTask(claimed)
    if (left !== null) {
      yield* recordWork(left)
      yield* recordCandidate(left)
    }
  }
  const { result, retry } = mayRetry
    ? yield* retryWhileStorageFails(autoRetry(claimed.task, found))
    : { result: found, retry: null }
  return yield* retryWhileStorageFails(queue.finish(claimed.task.id, result, holder, retry)).pipe(
    Effect.catchTags({
      TaskStateConflict: (conflict) => Effect.as(Effect.logInfo(`not ours to end any more: ${conflict.message}`), null),
      TaskNotFound: (missing) => Effect.as(Effect.logWarning(missing.message), null)
    })
  )
})
