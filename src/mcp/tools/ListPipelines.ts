/** Finds pipelines by their status. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { PipelinePage } from "../../domain/pipeline/Pipeline.ts"
import { TaskStatus } from "../../domain/task/Task.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { whole } from "../fields/Fields.ts"
import { tool } from "../Tool.ts"

export const listPipelines = tool({
  name: "ListPipelines",
  title: "List pipelines",
  description: "List pipelines, newest first, ten at a time.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    status: Schema.optional(Schema.Array(TaskStatus)),
    cursor: Schema.optional(whole(0, Number.MAX_SAFE_INTEGER, "'next' of the previous page"))
  }),
  output: PipelinePage,
  example: { status: ["failed"], cursor: 12 },
  handle: Effect.fn("ListPipelines")(function* ({ cursor, status }) {
    const { more, pipelines } = yield* (yield* Pipelines).list({
      status: status ?? [],
      limit: 10,
      before: cursor ?? null
    })
    return { pipelines, next: more ? (pipelines.at(-1)?.seq ?? null) : null }
  })
})
