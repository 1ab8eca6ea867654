/** Submits several tasks that run in order. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { DependencyPolicy } from "../../domain/task/Task.ts"
import { PipelineState, pipelineState } from "../../programs/pipelines/pipelineState.ts"
import { submitPipeline } from "../../programs/pipelines/submitPipeline.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { planOf, stepDefaults } from "../fields/StepFields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

const Text = Schema.optional(Schema.NonEmptyString)

/** The most common fields. The other fields of a step are decoded as in a pipeline file, with the same errors. */
const Step = Schema.Struct({
  name: Text,
  prompt: Schema.NonEmptyString,
  agent: Text,
  model: Text,
  directory: Text,
  after: Schema.optional(
    Schema.Array(Schema.String).annotations({ description: "Names of steps (default: the previous one)" })
  ),
  policy: Schema.optional(DependencyPolicy.annotations({ description: "Which end of these counts" })),
  continueFrom: Schema.optional(Schema.String.annotations({ description: "Step whose results go before the prompt" }))
}).pipe(Schema.extend(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

const Input = Schema.Struct({
  name: Text,
  steps: Schema.Array(Step).pipe(Schema.minItems(1), Schema.maxItems(100)).annotations({
    description:
      "Also priority, timeout ('30m'), stall, delay, retries, backoff, systemPrompt, labels, gate; isolated: workspace ('own'), times, matrix, best, loop"
  }),
  isolate: Schema.optional(Schema.Boolean.annotations({ description: "The steps share a separate git workspace" })),
  setup: Schema.optional(Schema.NonEmptyString.annotations({ description: "Command that prepares the workspace" })),
  key: Schema.optional(Schema.NonEmptyString.pipe(Schema.maxLength(200)))
})

export const createPipeline = tool({
  name: "CreatePipeline",
  title: "Create a pipeline",
  description: "Store tasks that run in order, all or none. Then call WaitTasks with their ids.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Input,
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
