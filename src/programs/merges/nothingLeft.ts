/** Why an isolated task that has ended has no result: it left nothing, or its work could not be sealed. */
import type { TaskId } from "../../domain/task/Task.ts"
import type { Workspace } from "../../domain/workspace/Workspace.ts"

export const nothingLeft = (id: TaskId, workspace: Pick<Workspace, "problem"> | null): string =>
  workspace === null || workspace.problem === null
    ? `Task ${id} left nothing in its workspace.`
    : `The work of task ${id} is in no commit. ${workspace.problem}. To seal what is there, once the cause is gone: beat run --in ${id} -a shell true`
