/** Resolves ids that may name tasks, pipelines, loops or contests. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ContestId } from "../../domain/contest/Contest.ts"
import type { ContestNotFound } from "../../domain/contest/ContestErrors.ts"
import { AmbiguousReference, type StorageError, type TaskNotFound } from "../../domain/Errors.ts"
import type { LoopNotFound } from "../../domain/loop/LoopErrors.ts"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import type { PipelineNotFound } from "../../domain/pipeline/PipelineErrors.ts"
import type { PipelineId, TaskId } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import { Loops } from "../../services/Loops.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Tasks } from "../../services/Tasks.ts"

type Failed = AmbiguousReference | ContestNotFound | LoopNotFound | PipelineNotFound | StorageError | TaskNotFound

/** Suggestions for a reference that matches nothing. */
const candidatesOf = (error: Failed): ReadonlyArray<string> => ("candidates" in error ? error.candidates : [])

/** What references name. */
export interface Named {
  readonly taskIds: ReadonlyArray<TaskId>
  readonly pipelineIds: ReadonlyArray<PipelineId>
  readonly loopIds: ReadonlyArray<LoopId>
  readonly contestIds: ReadonlyArray<ContestId>
}

/**
 * The task, the pipeline, the loop or the contest that each reference names. A prefix of two of them is ambiguous; `@last` is the newest task.
 */
export const resolveAll = Effect.fn("resolveAll")(function* (references: ReadonlyArray<string>) {
  const tasks = yield* Tasks
  const pipelines = yield* Pipelines
  const loops = yield* Loops
  const contests = yield* Contests
  const contestIds = new Set<ContestId>()
  const loopIds = new Set<LoopId>()
  const taskIds = new Set<TaskId>()
  const pipelineIds = new Set<PipelineId>()
  for (const reference of references) {
    if (reference === "@last") {
      taskIds.add(yield* tasks.resolve(reference))
      continue
    }
    const task = yield* Effect.either(tasks.resolve(reference))
    // A whole id is the beginning of no other.
    if (Either.isRight(task) && task.right === reference) {
      taskIds.add(task.right)
      continue
    }
    const pipeline = yield* Effect.either(pipelines.resolve(reference))
    const loop = yield* Effect.either(loops.resolve(reference))
    const contest = yield* Effect.either(contests.resolve(reference))
    const contestFits = Either.match(contest, { onLeft: candidatesOf, onRight: (id) => [id] })
    const loopFits = Either.match(loop, { onLeft: candidatesOf, onRight: (id) => [id] })
    const taskFits = Either.match(task, { onLeft: candidatesOf, onRight: (id) => [id] })
    const pipelineFits = Either.match(pipeline, { onLeft: candidatesOf, onRight: (id) => [id] })
    const fits = [taskFits, pipelineFits, loopFits, contestFits].filter(({ length }) => length > 0)
    if (fits.length > 1) return yield* new AmbiguousReference({ reference, candidates: fits.flat() })
    if (Either.isRight(task)) taskIds.add(task.right)
    else if (Either.isRight(pipeline)) pipelineIds.add(pipeline.right)
    else if (Either.isRight(loop)) loopIds.add(loop.right)
    else if (Either.isRight(contest)) contestIds.add(contest.right)
    else if (contestFits.length > 0) return yield* contest.left
    else if (loopFits.length > 0) return yield* loop.left
    else return yield* pipelineFits.length > 0 ? pipeline.left : task.left
  }
  const named: Named = {
    taskIds: Array.from(taskIds),
    pipelineIds: Array.from(pipelineIds),
    loopIds: Array.from(loopIds),
    contestIds: Array.from(contestIds)
  }
  return named
})
