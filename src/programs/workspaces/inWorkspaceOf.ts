/** Puts work into the workspace of another task, after that task has ended. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { NewDependency } from "../../domain/task/NewTask.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { WorkspaceNotFound } from "../../domain/workspace/WorkspaceErrors.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import type { Submission } from "../tasks/prepareTask.ts"
import { requireOwn } from "../tasks/requireOwn.ts"
import type { Submitter } from "../tasks/Submitter.ts"

/** An agent works in its own workspace anyway. */
const requireOwnPlace = Effect.fn("inWorkspaceOf.requireOwn")(function* (
  { id, workspaceId }: TaskSummary,
  submitter: Submitter
) {
  if (submitter.taskId === null) return
  const own = yield* (yield* Workspaces).ofTask(submitter.taskId)
  if (Option.isSome(own) && own.value.workspace.id === workspaceId) return
  yield* requireOwn(submitter, [id], "work in the workspace of")
})

export const inWorkspaceOf = Effect.fn("inWorkspaceOf")(function* (
  work: Submission,
  reference: string,
  submitter: Submitter
) {
  const tasks = yield* Tasks
  const task = yield* tasks.summary(yield* tasks.resolve(reference))
  if (task.workspaceId === null) return yield* new WorkspaceNotFound({ reference, candidates: [] })
  yield* requireOwnPlace(task, submitter)
  const after: NewDependency = { upstream: task.id, policy: "finished" }
  const others = (work.dependsOn ?? []).filter(({ upstream }) => upstream !== task.id)
  const placed: Submission = {
    ...work,
    directory: task.directory,
    workspace: { kind: "existing", id: task.workspaceId, startCommit: null },
    dependsOn: [...others, after]
  }
  return placed
})
