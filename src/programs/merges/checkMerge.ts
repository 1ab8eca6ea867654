/** Tests a merge before it is applied: the command runs as an ordinary task, in a workspace cut at the merged commit. */
import * as Effect from "effect/Effect"
import type { Merge } from "../../domain/merge/Merge.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { baseRef, type CommitId, type WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { Ids } from "../../services/Ids.ts"
import { Paths } from "../../services/Paths.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { sameSubmission, submittersEnvironment } from "../tasks/sameSubmission.ts"
import { submit } from "../tasks/submit.ts"
import { waitFor } from "../tasks/waitFor.ts"

/** The check runs with the environment in which the work was submitted. */
export const checkMerge = Effect.fn("checkMerge")(function* (
  merge: Merge,
  merged: CommitId,
  command: string,
  work: TaskSummary
) {
  const git = yield* WorkspaceGit
  const ids = yield* Ids
  const paths = yield* Paths
  const queue = yield* Queue
  const tasks = yield* Tasks
  const id = yield* ids.workspace
  const name = merge.home.split("/").findLast((part) => part !== "") ?? "root"
  const workspace: WorkspaceRequest = {
    kind: "new",
    id,
    home: merge.home,
    subdirectory: "",
    base: merged,
    baseKind: "revision",
    path: `${paths.workspaces}/${id}/${name}`
  }
  yield* git.pin(merge.home, baseRef(id), merged)
  const captured = yield* queue.captured(work.id)
  const submitter: Submitter = {
    environment: submittersEnvironment(captured),
    taskId: work.parentId,
    depth: work.depth
  }
  const { tasks: submitted } = yield* submit(
    [
      {
        ...sameSubmission({ ...(yield* tasks.get(work.id)), directory: merge.home }),
        prompt: command,
        agent: "shell",
        model: null,
        systemPrompt: null,
        maxRetries: 0,
        labels: {},
        // A person waits for it, so the limit of a group does not hold it back.
        group: null,
        workspace
      }
    ],
    submitter
  )
  const taskId = submitted[0]?.task.id
  if (taskId === undefined) return yield* Effect.dieMessage("the check was not stored")
  const [ended] = yield* waitFor([taskId], {
    goal: "end",
    any: false,
    justLaunched: false,
    onTrouble: () => Effect.void
  })
  return { taskId, passed: ended?.status === "completed" }
})
