/** Seals what a task left in its workspace, before the end of the task is stored. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskSummary } from "../../domain/task/Task.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { sealRef, type WorkResult } from "../../domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../domain/workspace/WorkspaceErrors.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { WorkerWorkspaces } from "../../services/WorkerWorkspaces.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { candidateOf } from "../contests/recordCandidate.ts"
import { workedIn } from "../loops/recordWork.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** What a seal needs to know. */
interface Worked {
  readonly claim: Pick<Claim, "claimId" | "claimedAt">
  readonly task: Pick<TaskSummary, "id" | "title" | "workspaceId" | "startedAt">
}

const messageOf = ({ id, title }: Worked["task"]) =>
  `${title === "" ? "Work of a task" : title}\n\nBackbeat-Task: ${id}\n`

/**
 * Stores the result of the task. Repeated it gives the same commit: tree, parent, date and message are those of the task.
 * A seal that fails is on record with the workspace, which is then never reclaimed, and does not change how the task ends.
 */
export const sealTask = Effect.fn("sealTask")(function* ({ claim, task }: Worked) {
  if (task.workspaceId === null) return null
  // What an evaluation leaves is not work: the next round starts from that of the round before.
  const place = yield* workedIn(task.id)
  if (place !== null && place.role !== "work") return null
  const entrant = yield* candidateOf(task.id)
  if (entrant !== null && (entrant.role === "check" || entrant.role === "score")) return null
  const git = yield* WorkspaceGit
  const workspaces = yield* Workspaces
  const own = yield* WorkerWorkspaces
  const found = yield* retryWhileStorageFails(workspaces.ofTask(task.id))
  if (Option.isNone(found)) return null
  const { workspace } = found.value
  const troubled = (error: WorkspaceFailed) =>
    Effect.as(
      Effect.zipRight(
        Effect.logError(error.message),
        retryWhileStorageFails(own.troubled(workspace.id, error.message))
      ),
      null
    )
  if (!(yield* git.isWhole(workspace))) {
    // One that was never cut holds nothing. Any other was broken or removed while the task ran.
    if (workspace.state !== "ready") return null
    const detail = (yield* git.exists(workspace))
      ? "it is no longer the repository that was cut"
      : "its files were removed"
    return yield* troubled(new WorkspaceFailed({ path: workspace.path, step: "seal", detail }))
  }
  const at = task.startedAt ?? claim.claimedAt
  const seal = yield* git
    .seal({ workspace, ref: sealRef(task.id), message: messageOf(task), at, claimId: claim.claimId })
    .pipe(Effect.catchTag("WorkspaceFailed", troubled))
  if (seal === null) return null
  yield* failpoint("seal.taken")
  const result: WorkResult = {
    ...seal,
    taskId: task.id,
    workspaceId: workspace.id,
    base: workspace.base,
    sealedAt: yield* Clock.currentTimeMillis
  }
  yield* retryWhileStorageFails(own.sealed(result))
  yield* failpoint("seal.stored")
  return result
})
