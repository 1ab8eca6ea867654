/** Resolves ids on a command line that may name tasks or pipelines. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { AmbiguousReference, type StorageError, type TaskNotFound } from "../../domain/Errors.ts"
import type { PipelineNotFound } from "../../domain/pipeline/PipelineErrors.ts"
import type { PipelineId, TaskId } from "../../domain/task/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Tasks } from "../../services/Tasks.ts"

type Failed = AmbiguousReference | PipelineNotFound | StorageError | TaskNotFound

/** Suggestions for a reference that matches nothing. */
const candidatesOf = (error: Failed): ReadonlyArray<string> => ("candidates" in error ? error.candidates : [])

/**
 * The task or the pipeline that each reference names. A prefix of both is ambiguous; `@last` is the newest task.
 */
export const resolveAll = Effect.fn("resolveAll")(function* (references: ReadonlyArray<string>) {
  const tasks = yield* Tasks
  const pipelines = yield* Pipelines
  const taskIds = new Set<TaskId>()
  const pipelineIds = new Set<PipelineId>()
  for (const reference of references) {
    if (reference === "@last") {
      taskIds.add(yield* tasks.resolve(reference))
      continue
    }
    const task = yield* Effect.either(tasks.resolve(reference))
    const pipeline = yield* Effect.either(pipelines.resolve(reference))
    const taskFits = Either.match(task, { onLeft: candidatesOf, onRight: (id) => [id] })
    const pipelineFits = Either.match(pipeline, { onLeft: candidatesOf, onRight: (id) => [id] })
    if (taskFits.length > 0 && pipelineFits.length > 0) {
      return yield* new AmbiguousReference({ reference, candidates: [...taskFits, ...pipelineFits] })
    }
    if (Either.isRight(task)) taskIds.add(task.right)
    else if (Either.isRight(pipeline)) pipelineIds.add(pipeline.right)
    else return yield* pipelineFits.length > 0 ? pipeline.left : task.left
  }
  return { taskIds: Array.from(taskIds), pipelineIds: Array.from(pipelineIds) }
})
