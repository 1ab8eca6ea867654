/** Runs an ended task again. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { retry } from "../../programs/tasks/retry.ts"
import { submitterOf } from "../../programs/tasks/submitter.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Reference } from "../fields/Fields.ts"
import { Session } from "../protocol/Session.ts"
import { statesAfter } from "../submitted.ts"
import { linksOf, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

export const retryTask = tool({
  name: "RetryTask",
  title: "Retry a task",
  description: "Run an ended task again, as a new task with the same prompt, agent and directory.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({ id: Reference }),
  output: TaskStates,
  example: { id: "k3v9x2m7q4ab" },
  handle: Effect.fn("RetryTask")(function* ({ id }) {
    const session = yield* Session
    const tasks = yield* Tasks
    const taskId = yield* tasks.resolve(id)
    yield* session.serving
    const result = yield* Effect.uninterruptible(retry(taskId, submitterOf(session.environment)))
    return yield* statesAfter(result)
  }),
  links: linksOf
})
