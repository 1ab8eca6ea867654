/** Pipelines: tasks that were handed over together, in an order and under one name. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type {
  DependencyInvalid,
  DepthExceeded,
  IdempotencyConflict,
  StorageError,
  TaskNotFound
} from "../domain/Errors.ts"
import type { GoalLimitReached } from "../domain/goal/GoalErrors.ts"
import type { AnswerRule } from "../domain/pipeline/AnswerRule.ts"
import type { NewPipeline, Pipeline, PipelineSummary } from "../domain/pipeline/Pipeline.ts"
import type { PipelineKeyConflict, PipelineNotFound, PipelineRetryConflict } from "../domain/pipeline/PipelineErrors.ts"
import type { PipelineId, TaskId, TaskStatus } from "../domain/task/Task.ts"
import type { CancelAnswer, CancelRequest } from "./Queue.ts"

/** A pipeline as stored: `created` is false when an idempotency key led to one that was there before. */
export interface CreatedPipeline {
  readonly pipeline: Pipeline
  readonly created: boolean
}

interface PipelineFilter {
  /** Empty means any. */
  readonly status: ReadonlyArray<TaskStatus>
  /** From 1 to 1000. */
  readonly limit: number
  /** Only pipelines with a smaller `seq`: the last `seq` of the page before. */
  readonly before: number | null
}

type CreateError =
  | DependencyInvalid
  | DepthExceeded
  | GoalLimitReached
  | IdempotencyConflict
  | PipelineKeyConflict
  | PipelineRetryConflict
  | TaskNotFound
  | StorageError

export class Pipelines extends Context.Tag("backbeat/Pipelines")<
  Pipelines,
  {
    /**
     * Stores the pipeline and its tasks, all or none, in one transaction, and returns after the commit. Of two that attempt the
     * same one again at a time, the second is refused.
     */
    readonly create: (
      pipeline: NewPipeline,
      options: { readonly maxDepth: number }
    ) => Effect.Effect<CreatedPipeline, CreateError>
    readonly get: (id: PipelineId) => Effect.Effect<Pipeline, PipelineNotFound | StorageError>
    /** An id, the name of a pipeline (the newest of that name), a unique prefix of an id, or `@last`. */
    readonly resolve: (reference: string) => Effect.Effect<PipelineId, PipelineNotFound | StorageError>
    /** What the answer of a step has to say. */
    readonly answerRule: (task: TaskId) => Effect.Effect<Option.Option<AnswerRule>, StorageError>
    /** Newest first; `more` says whether others match beyond this page. */
    readonly list: (
      filter: PipelineFilter
    ) => Effect.Effect<{ readonly pipelines: ReadonlyArray<PipelineSummary>; readonly more: boolean }, StorageError>
    /**
     * In one transaction: steps that wait end as cancelled, the last first, so that none of them is let go by the end of
     * another; running ones get the request.
     */
    readonly cancel: (
      id: PipelineId,
      request: CancelRequest
    ) => Effect.Effect<CancelAnswer, PipelineNotFound | StorageError>
  }
>() {}
