/** Continues a task that has ended. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { requireOwn } from "../../programs/tasks/requireOwn.ts"
import { resume } from "../../programs/tasks/resume.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Session } from "../protocol/Session.ts"
import { statesAfter } from "../statesAfter.ts"
import { linksOf, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

export const resumeTask = tool({
  name: "ResumeTask",
  title: "Resume a task",
  description: "Continue a finished task in the same agent session.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({
    id: Schema.String,
    /** New instructions for the agent. */
    context: Schema.optional(Schema.String),
    /** Start a new session, with the results of the task in the prompt. */
    fresh: Schema.optional(Schema.Boolean)
  }),
  output: TaskStates,
  example: { id: "k3v9x2m7q4ab", context: "Now write the tests" },
  handle: Effect.fn("ResumeTask")(function* ({ context = null, fresh = false, id }) {
    const session = yield* Session
    const tasks = yield* Tasks
    const taskId = yield* tasks.resolve(id)
    yield* session.serving
    const submitter = submitterOf(session.environment)
    yield* requireOwn(submitter, [taskId], "resume")
    const result = yield* Effect.uninterruptible(resume(taskId, { context, fresh }, submitter))
    return yield* statesAfter(result)
  }),
  links: linksOf
})
