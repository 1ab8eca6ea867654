/** Submits several tasks that run in order. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { maxSteps } from "../../domain/pipeline/PipelineFile.ts"
import { PipelineState, pipelineState } from "../../programs/pipelines/pipelineState.ts"
import { submitPipeline } from "../../programs/pipelines/submitPipeline.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { listedSteps, planOf, stepDefaults } from "../fields/StepFields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

/** Only what a step cannot be without: `planOf` reads its fields, with the errors of a pipeline file. */
const Step = Schema.Struct({ prompt: Schema.NonEmptyString }).pipe(
  Schema.extend(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
)

const Input = Schema.Struct({
  name: Schema.optional(Schema.NonEmptyString),
  steps: Schema.Array(Step).pipe(Schema.minItems(1), Schema.maxItems(maxSteps)),
  isolate: Schema.optional(Schema.Boolean.annotations({ description: "The steps share a separate git workspace" })),
  setup: Schema.optional(Schema.NonEmptyString.annotations({ description: "Command that prepares the workspace" })),
  key: Schema.optional(
    Schema.NonEmptyString.pipe(Schema.maxLength(200)).annotations({ description: "A repeat returns the same pipeline" })
  )
})

export const createPipeline = tool({
  name: "CreatePipeline",
  title: "Create a pipeline",
  description:
    "Store tasks that run in order, all or none. Then call WaitTasks with the id of the pipeline, or with theirs.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Input,
  listed: Schema.Struct({ ...Input.fields, steps: listedSteps }),
  output: Schema.Struct({ ...PipelineState.fields, warnings: Schema.Array(Schema.String) }),
  example: {
    name: "release",
    steps: [
      { name: "build", prompt: "npm run build", agent: "shell" },
      {
        name: "review",
        prompt: "Review the last commit and fix what is wrong",
        agent: "claude",
        model: "sonnet",
        directory: "/home/me/project",
        after: ["build"],
        policy: "success",
        timeout: "30m",
        retries: 1,
        continueFrom: "build"
      }
    ],
    isolate: true,
    setup: "npm ci",
    key: "release-1"
  },
  handle: Effect.fn("CreatePipeline")(function* ({ key, ...content }) {
    const session = yield* Session
    const plan = yield* planOf(content, content.name ?? "pipeline", "Add 'isolate': true to the call.")
    yield* session.serving
    const options = { defaults: stepDefaults(session.directory), idempotencyKey: key ?? null }
    // A client that gives up in the meantime must not leave half of the pipeline.
    const result = yield* Effect.uninterruptible(submitPipeline(plan, options, submitterOf(session.environment)))
    const problem = Option.match(result.problem, {
      onNone: () => [],
      onSome: ({ message }) => [`the pipeline is queued, but no worker could be started: ${message}`]
    })
    const replayed = result.created
      ? []
      : ["idempotency key already used by this pipeline; no new pipeline was created"]
    return { ...pipelineState(result.pipeline), warnings: [...result.warnings, ...replayed, ...problem] }
  })
})
