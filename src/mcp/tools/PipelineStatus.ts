/** Shows one pipeline with its steps. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { PipelineState, pipelineState } from "../../programs/pipelines/pipelineState.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { tool } from "../Tool.ts"

export const pipelineStatus = tool({
  name: "PipelineStatus",
  title: "Status of a pipeline",
  description: "Show a pipeline and its steps, with their task ids.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ id: Schema.NonEmptyString }),
  output: PipelineState,
  example: { id: "7w2d9m4xkq5t" },
  handle: Effect.fn("PipelineStatus")(function* ({ id }) {
    const pipelines = yield* Pipelines
    return pipelineState(yield* pipelines.get(yield* pipelines.resolve(id)))
  })
})
