/** Submits pipelines, and makes sure that a worker runs them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { NewPipeline, Pipeline, PipelinePlan } from "../../domain/pipeline/Pipeline.ts"
import { isTerminal } from "../../domain/task/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { type PipelineDefaults, preparePipeline } from "./preparePipeline.ts"

export interface SubmittedPipeline {
  readonly pipeline: Pipeline
  /** False when the idempotency key led to a pipeline that was there before. */
  readonly created: boolean
  /** Hints about the agents, for the submitter. */
  readonly warnings: ReadonlyArray<string>
  /** Whether a worker was launched for it. */
  readonly launched: boolean
  /** The pipeline is stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

/** Stores a prepared pipeline with all of its tasks, or nothing. Returns after the commit. */
export const storePipeline = Effect.fn("storePipeline")(function* (
  prepared: NewPipeline,
  warnings: ReadonlyArray<string>
) {
  const pipelines = yield* Pipelines
  const { maxDepth } = yield* (yield* SettingsStore).get
  const stored = yield* pipelines.create(prepared, { maxDepth })
  const served = yield* Effect.either(isTerminal(stored.pipeline.status) ? Effect.succeed(false) : ensureWorker())
  const result: SubmittedPipeline = {
    ...stored,
    warnings,
    launched: served._tag === "Right" && served.right,
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})

export const submitPipeline = Effect.fn("submitPipeline")(function* (
  plan: PipelinePlan,
  options: { readonly defaults: PipelineDefaults; readonly idempotencyKey: string | null },
  submitter: Submitter
) {
  const { pipeline, warnings } = yield* preparePipeline(plan, options.defaults, submitter)
  return yield* storePipeline({ ...pipeline, idempotencyKey: options.idempotencyKey }, warnings)
})
