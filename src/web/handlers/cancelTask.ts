/** Cancels a task, and waits a moment for its processes. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type CancelResult, cancel } from "../../programs/tasks/cancel.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { serveQueued } from "../../programs/worker/serveQueued.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WebSession } from "../server/WebSession.ts"

/** A page should not wait longer: the request is stored, and the task's end comes as an event. */
const patience = "10 seconds"

export const cancelTask = Effect.fn("web.cancel")(function* (
  reference: string,
  asked: { readonly reason?: string | undefined; readonly tree?: boolean | undefined }
) {
  const { environment } = yield* WebSession
  const tasks = yield* Tasks
  const id = yield* tasks.resolve(reference)
  const by = yield* nameOf(submitterOf(environment))
  const done = yield* cancel([id], {
    tree: asked.tree ?? false,
    reason: asked.reason ?? null,
    by,
    justLaunched: false,
    onTrouble: (problem) => Effect.logWarning(`cancelling: workers keep exiting. ${problem.message}`)
  }).pipe(Effect.timeoutOption(patience))
  yield* serveQueued((trouble) => Effect.logWarning(`cancelling: ${trouble}`))
  if (Option.isSome(done)) return done.value
  const result: CancelResult = {
    tasks: [{ answer: "requested", task: yield* tasks.summary(id) }],
    truncated: false
  }
  return result
})
