/** Cancels a pipeline, with all the processes of its steps. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { PipelineState, pipelineState } from "../../programs/pipelines/pipelineState.ts"
import { cancelPipeline as cancel } from "../../programs/pipelines/waitForPipeline.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const cancelPipeline = tool({
  name: "CancelPipeline",
  title: "Cancel a pipeline",
  description: "Cancel all steps that have not ended.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ id: Schema.NonEmptyString, reason: Schema.optional(Schema.String) }),
  output: PipelineState,
  example: { id: "7w2d9m4xkq5t", reason: "wrong branch" },
  handle: Effect.fn("CancelPipeline")(function* ({ id, reason }, call) {
    const session = yield* Session
    const submitter = submitterOf(session.environment)
    const by = submitter.taskId === null && call.client !== null ? call.client : yield* nameOf(submitter)
    const resolved = yield* (yield* Pipelines).resolve(id)
    yield* session.serving
    const { pipeline } = yield* cancel(resolved, { reason: reason?.slice(0, 1000) ?? null, by }, submitter, {
      justLaunched: false,
      onTrouble: (problem) => Effect.logWarning(`cancelling: workers keep exiting. ${problem.message}`)
    }).pipe(withProgress(call, Effect.succeed("waiting for the processes to exit")))
    return pipelineState(pipeline)
  })
})
