/** Puts work into the workspace of another task, after that task has ended. */
import * as Effect from "effect/Effect"
import type { NewDependency } from "../../domain/task/NewTask.ts"
import { WorkspaceNotFound } from "../../domain/workspace/WorkspaceErrors.ts"
import { Tasks } from "../../services/Tasks.ts"
import type { Submission } from "../tasks/prepareTask.ts"

export const inWorkspaceOf = Effect.fn("inWorkspaceOf")(function* (work: Submission, reference: string) {
  const tasks = yield* Tasks
  const task = yield* tasks.summary(yield* tasks.resolve(reference))
  if (task.workspaceId === null) return yield* new WorkspaceNotFound({ reference, candidates: [] })
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
