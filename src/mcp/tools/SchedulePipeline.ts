/** Runs a pipeline at given times. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { maxSteps } from "../../domain/pipeline/PipelineFile.ts"
import { preparePipeline } from "../../programs/pipelines/preparePipeline.ts"
import { pipelineWork } from "../../programs/schedules/ScheduleChanges.ts"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Scheduled, schedule, whenFields } from "../fields/ScheduleFields.ts"
import { listedPlainSteps, planOf, stepDefaults } from "../fields/StepFields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

/** `planOf` reads its fields, with the errors of a pipeline file. */
const Step = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const Input = Schema.Struct({
  steps: Schema.Array(Step).pipe(Schema.minItems(1), Schema.maxItems(maxSteps)),
  ...whenFields
})

export const schedulePipeline = tool({
  name: "SchedulePipeline",
  title: "Schedule a pipeline",
  description: "Run a pipeline at given times; steps as in CreatePipeline.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Input,
  listed: Schema.Struct({ ...Input.fields, steps: listedPlainSteps }),
  output: Scheduled,
  example: {
    steps: [
      { prompt: "npm ci && npm test", agent: "shell" },
      { prompt: "Fix what fails", agent: "claude" }
    ],
    when: "@daily",
    timezone: "UTC",
    name: "nightly",
    maxRuns: 30,
    overlap: "skip",
    missed: "skip"
  },
  handle: Effect.fn("SchedulePipeline")(function* ({ steps, ...when }, call) {
    yield* requireOutside(submitterOf((yield* Session).environment), "change schedules")
    const session = yield* Session
    const isolation = "Leave it out: a schedule cannot run an isolated pipeline."
    const plan = yield* planOf({ steps }, when.name ?? "pipeline", isolation)
    const { pipeline, warnings } = yield* preparePipeline(
      plan,
      stepDefaults(session.directory),
      submitterOf(session.environment)
    )
    return yield* schedule(when, { work: pipelineWork(pipeline), warnings }, call)
  })
})
