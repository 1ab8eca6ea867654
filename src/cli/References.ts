/** What ids on a command line stand for, where tasks and pipelines will do. */
import * as Effect from "effect/Effect"
import type { PipelineId, TaskId } from "../domain/Task.ts"
import { Pipelines } from "../services/Pipelines.ts"
import { Tasks } from "../services/Tasks.ts"

/** A task comes first: what is no task may be a pipeline. `@last` is the newest task. */
export const resolveAll = Effect.fn("resolveAll")(function* (references: ReadonlyArray<string>) {
  const tasks = yield* Tasks
  const pipelines = yield* Pipelines
  const taskIds = new Set<TaskId>()
  const pipelineIds = new Set<PipelineId>()
  for (const reference of references) {
    const task = yield* Effect.either(tasks.resolve(reference))
    if (task._tag === "Right") {
      taskIds.add(task.right)
      continue
    }
    if (task.left._tag !== "TaskNotFound" || reference === "@last") return yield* task.left
    const notFound = task.left
    pipelineIds.add(
      yield* pipelines
        .resolve(reference)
        .pipe(
          Effect.catchTag("PipelineNotFound", (error) => Effect.fail(error.candidates.length > 0 ? error : notFound))
        )
    )
  }
  return { taskIds: Array.from(taskIds), pipelineIds: Array.from(pipelineIds) }
})
