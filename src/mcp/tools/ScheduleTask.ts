/** Runs a task at given times. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Scheduled, schedule, scheduledTask, whenFields } from "../fields/ScheduleFields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

const Text = Schema.optional(Schema.NonEmptyString)

export const scheduleTask = tool({
  name: "ScheduleTask",
  title: "Schedule a task",
  description: "Run a task at given or recurring times, even after this session ends.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({ prompt: Schema.NonEmptyString, ...whenFields, agent: Text, model: Text, directory: Text }),
  output: Scheduled,
  example: {
    prompt: "Triage the new issues and label them",
    when: "0 9 * * 1-5",
    timezone: "Europe/Berlin",
    name: "triage",
    maxRuns: 10,
    overlap: "skip",
    missed: "run-once",
    agent: "claude",
    model: "sonnet",
    directory: "/home/me/project"
  },
  handle: Effect.fn("ScheduleTask")(function* ({ agent, directory, model, prompt, ...when }, call) {
    const session = yield* Session
    yield* requireOutside(submitterOf(session.environment), "change schedules")
    return yield* schedule(when, yield* scheduledTask({ agent, directory, model, prompt }), call)
  })
})
