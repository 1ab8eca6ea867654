/** Retries an ended task: submits the same work again, in the environment captured then, with its arguments computed again. */
import * as Effect from "effect/Effect"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { isTerminal, type Task, type TaskId } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { latestAttempt } from "./latestAttempt.ts"
import { resubmit } from "./resubmit.ts"
import type { Submitter } from "./Submitter.ts"
import { submit } from "./submit.ts"

/**
 * How a new attempt follows the one before. A prompt that was given in the middle of a session means nothing outside of it, so it
 * is given in that session again.
 */
export const continuationOf = ({ continuation, sessionId }: Task) =>
  continuation === "session" && sessionId !== null
    ? ({ continuation, resume: sessionId } as const)
    : ({ continuation: "retry" } as const)

/**
 * The arguments are not replayed: they may name the session of the first attempt, which the agent would refuse, and a
 * program that was updated may have moved. An agent that was removed meanwhile fails as in a new submission.
 */
export const retry = Effect.fn("retry")(function* (id: TaskId, submitter: Submitter) {
  const tasks = yield* Tasks
  const task = yield* tasks.get(id)
  const last = yield* latestAttempt(id)
  // Also while an automatic retry is still to come: two attempts at the same work would interfere.
  if (!isTerminal(last.status)) {
    return yield* new TaskStateConflict({ id: last.id, step: "be retried", actual: last.status })
  }
  const { environment, submission } = yield* resubmit(task, submitter.environment.PATH)
  return yield* submit([{ ...submission, ...continuationOf(task) }], { ...submitter, environment })
})
