/** Keeps the merges of an agent to the workspace of its task. The task decides, not the variables of the process. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OutsideTask } from "../../domain/task/TaskBoundary.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import type { Submitter } from "../tasks/Submitter.ts"

/** `home` is the top directory that would change. */
export const requireHome = Effect.fn("requireHome")(function* ({ taskId }: Submitter, home: string, step: string) {
  if (taskId === null) return
  const own = yield* (yield* Workspaces).ofTask(taskId)
  if (Option.isSome(own) && own.value.workspace.path === home) return
  const because = "an agent merges only into the workspace of its task"
  return yield* new OutsideTask({ inside: taskId, step, because })
})
