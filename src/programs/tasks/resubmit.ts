/** Makes the submission of a task that continues the work of an ended one. */
import * as Effect from "effect/Effect"
import type { NewDependency } from "../../domain/task/NewTask.ts"
import { isTerminal, type Task, type TaskId } from "../../domain/task/Task.ts"
import { Queue } from "../../services/Queue.ts"
import { latestAttempt } from "./latestAttempt.ts"
import type { Submission } from "./prepareTask.ts"
import { givenWith, sameSubmission, submittersEnvironment } from "./sameSubmission.ts"

/**
 * A resubmitted task continues from the latest attempt of the original's upstream. An upstream that already ended
 * satisfies the dependency, whatever its outcome: the person who resubmits the work has seen it.
 */
const upstreamOf = Effect.fn("resubmit.upstream")(
  function* (task: Task) {
    if (task.continueFrom === null) return null
    const upstream = yield* latestAttempt(task.continueFrom)
    const edge = task.dependsOn.find(({ taskId }) => taskId === upstream.id || taskId === task.continueFrom)
    const policy = isTerminal(upstream.status) ? "finished" : (edge?.policy ?? "success")
    return { id: upstream.id, edge: { upstream: upstream.id, policy } satisfies NewDependency }
  },
  // The task was pruned.
  Effect.catchTag("TaskNotFound", () => Effect.succeed<{ id: TaskId; edge: NewDependency } | null>(null))
)

/** The same work in the environment captured then. A program that has moved since is looked for on `otherPath`. */
export const resubmit = Effect.fn("resubmit")(function* (task: Task, otherPath?: string) {
  const queue = yield* Queue
  const captured = yield* queue.captured(task.id)
  const environment = submittersEnvironment(captured)
  const upstream = yield* upstreamOf(task)
  const submission: Submission = {
    ...sameSubmission(task),
    ...givenWith(captured),
    otherPath,
    // The work continues where it was, also after its workspace was reclaimed.
    workspace: task.workspaceId === null ? undefined : { kind: "existing", id: task.workspaceId, startCommit: null },
    retryOf: task.id,
    continueFrom: upstream?.id ?? null,
    dependsOn: upstream === null ? [] : [upstream.edge]
  }
  return { environment, submission }
})
