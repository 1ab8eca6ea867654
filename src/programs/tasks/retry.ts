/** Tries an ended task again: the same work in the environment captured then, prepared afresh. */
import * as Effect from "effect/Effect"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { isTerminal, type Task, type TaskId } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { latestAttempt } from "./latestAttempt.ts"
import { resubmit } from "./resubmit.ts"
import type { Submitter } from "./Submitter.ts"
import { submit } from "./submit.ts"

/**
 * How a new attempt takes up the one before. What was asked of an agent in the middle of its session says nothing outside of
 * it, so that is asked there again.
 */
export const resubmitted = ({ continuation, sessionId }: Task) =>
  continuation === "session" && sessionId !== null
    ? ({ continuation, resume: sessionId } as const)
    : ({ continuation: "retry" } as const)

/**
 * The arguments are not replayed: they may name the session of the first attempt, which the agent would refuse, and a
 * program that was updated may lie elsewhere now. An agent that is gone meanwhile fails as in a new submission.
 */
export const retry = Effect.fn("retry")(function* (id: TaskId, submitter: Submitter) {
  const tasks = yield* Tasks
  const task = yield* tasks.get(id)
  const last = yield* latestAttempt(id)
  // Also where its automatic retry is still to come: two attempts of one work would get into each other's way.
  if (!isTerminal(last.status)) {
    return yield* new TaskStateConflict({ id: last.id, step: "be retried", actual: last.status })
  }
  const { environment, submission } = yield* resubmit(task, submitter.environment.PATH)
  return yield* submit([{ ...submission, ...resubmitted(task) }], { ...submitter, environment })
})
