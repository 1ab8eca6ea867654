/** Cancels tasks, with all their processes. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CancelResult, cancel } from "../../programs/tasks/cancel.ts"
import { requireOwn } from "../../programs/tasks/requireOwn.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { Tasks } from "../../services/Tasks.ts"
import { References } from "../fields/Fields.ts"
import { withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const cancelTask = tool({
  name: "CancelTask",
  title: "Cancel tasks",
  description: "Cancel (stop) tasks and return when their processes have exited.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    ids: References,
    reason: Schema.optional(Schema.String.pipe(Schema.maxLength(1000))),
    tree: Schema.optionalWith(Schema.Boolean.annotations({ description: "Also cancel all that they delegated" }), {
      default: () => false
    })
  }),
  output: CancelResult,
  example: { ids: ["k3v9x2m7q4ab"], reason: "wrong branch", tree: false },
  handle: Effect.fn("CancelTask")(function* (input, call) {
    const session = yield* Session
    const tasks = yield* Tasks
    const submitter = submitterOf(session.environment)
    const by = submitter.taskId === null && call.client !== null ? call.client : yield* nameOf(submitter)
    const ids = yield* Effect.forEach(input.ids, tasks.resolve)
    yield* requireOwn(submitter, ids, "cancel")
    yield* session.serving
    return yield* cancel(ids, {
      tree: input.tree,
      reason: input.reason ?? null,
      by,
      justLaunched: false,
      onTrouble: (problem) => Effect.logWarning(`cancelling: workers keep exiting. ${problem.message}`)
    }).pipe(withProgress(call, Effect.succeed("waiting for the processes to exit")))
  })
})
