/** Whether a worker makes the workspace of a task that is about to start: seconds in a repository of many files. */
import * as Effect from "effect/Effect"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { Workspaces } from "../../services/Workspaces.ts"

export const isCut = Effect.fn("isCut")(function* (task: Pick<TaskSummary, "id" | "status" | "workspaceId">) {
  if (task.status !== "running" || task.workspaceId === null) return false
  const place = yield* (yield* Workspaces).waitOf(task.id)
  return place !== null && place.state !== "ready"
})
