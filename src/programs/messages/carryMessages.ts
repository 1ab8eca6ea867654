/** Messages that their task did not take before it ended become the next turn of its session. */
import * as Effect from "effect/Effect"
import type { Message } from "../../domain/message/Message.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { Messages } from "../../services/Messages.ts"
import { Tasks } from "../../services/Tasks.ts"
import { resume, sessionHolder } from "../tasks/resume.ts"

/** The longest reason that is kept, in characters. */
const longestReason = 500

const saying = ({ body, writtenAt }: Message): string =>
  writtenAt === null ? body : `(This may have reached you already.) ${body}`

/**
 * A message of a task that has not ended stays where it is. One whose session another task uses by now goes to that task. Safe
 * to call from any process and at any time: each message is moved once.
 */
export const carryMessages = Effect.fn("carryMessages")(
  function* (id: TaskId) {
    const agents = yield* Agents
    const messages = yield* Messages
    const tasks = yield* Tasks
    const said = (yield* messages.pending(id)).filter(({ kind, state }) => kind === "say" && state === "stored")
    const task = yield* tasks.get(id)
    if (task.endedAt === null) return
    if (said.length === 0) return yield* messages.drop(id, "the task had ended")
    if (task.retriedBy !== null) return yield* messages.redirect(id, task.retriedBy)
    if (!(yield* agents.hasSessions(task.agent))) {
      return yield* messages.drop(id, `the task had ended, and ${task.agent} cannot continue a session`)
    }
    const holder = task.sessionId === null ? null : yield* sessionHolder(task, task.sessionId)
    if (holder !== null) return yield* messages.redirect(id, holder.id)
    yield* resume(
      id,
      { context: said.map(saying).join("\n\n"), fresh: false, moves: said.map((message) => message.id) },
      { environment: {}, taskId: task.parentId, depth: task.depth }
    ).pipe(
      Effect.catchIf(
        (error) => error._tag !== "StorageError",
        (error) =>
          Effect.gen(function* () {
            // Another process was first, or has begun to use the session: what is left is looked at again.
            if (error._tag === "TaskStateConflict") return yield* Effect.logDebug(error.message)
            const now = task.sessionId === null ? null : yield* sessionHolder(task, task.sessionId)
            return yield* now === null
              ? messages.drop(id, error.message.slice(0, longestReason))
              : messages.redirect(id, now.id)
          })
      )
    )
  },
  Effect.catchTag("TaskNotFound", () => Effect.void)
)

/** All messages that wait for tasks that have ended. */
export const carryAdrift = Effect.gen(function* () {
  const messages = yield* Messages
  yield* Effect.forEach(yield* messages.adrift, carryMessages, { discard: true })
})
