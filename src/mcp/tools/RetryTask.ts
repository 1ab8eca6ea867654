/** Runs an ended task again. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { requireOwn } from "../../programs/tasks/requireOwn.ts"
import { resume } from "../../programs/tasks/resume.ts"
import { retry } from "../../programs/tasks/retry.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Reference, withDefault } from "../fields/Fields.ts"
import { Session } from "../protocol/Session.ts"
import { statesAfter } from "../statesAfter.ts"
import { linksOf, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

export const retryTask = tool({
  name: "RetryTask",
  title: "Retry a task",
  description:
    "Run an ended task again as a new task: 'fresh' with the same prompt, or 'resume' in its agent session with 'context' as instructions.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({
    id: Reference,
    mode: withDefault(Schema.Literal("fresh", "resume"), "fresh"),
    context: Schema.optional(Schema.NonEmptyString.annotations({ description: "With resume: what to do now" }))
  }),
  output: TaskStates,
  example: { id: "k3v9x2m7q4ab", mode: "resume" as const, context: "Now write the tests" },
  handle: Effect.fn("RetryTask")(function* ({ context, id, mode }) {
    if (mode === "fresh" && context !== undefined)
      return yield* new InvalidInput({ field: "context", problem: "is for the mode 'resume'", example: null })
    const session = yield* Session
    const tasks = yield* Tasks
    const taskId = yield* tasks.resolve(id)
    yield* session.serving
    const submitter = submitterOf(session.environment)
    yield* requireOwn(submitter, [taskId], "retry")
    const again =
      mode === "resume"
        ? resume(taskId, { context: context ?? null, fresh: false }, submitter)
        : retry(taskId, submitter)
    const result = yield* Effect.uninterruptible(again)
    return yield* statesAfter(result)
  }),
  links: linksOf
})
