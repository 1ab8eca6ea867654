/** What came out of a task, without how it came about. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { EndCause, FailureClass, isTerminal, TaskId, TaskStatus, Timestamp, Usage } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"
import { cutText } from "./taskState.ts"

export const TaskResult = Schema.Struct({
  id: TaskId,
  status: TaskStatus,
  /** The agent's final answer. */
  answer: Schema.NullOr(Schema.String),
  /** Whether it was longer. */
  answerCut: Schema.Boolean,
  sessionId: Schema.NullOr(Schema.String),
  /** From start to end. */
  durationMs: Schema.NullOr(Schema.Int),
  usage: Schema.NullOr(Usage),
  cause: Schema.NullOr(EndCause),
  exitCode: Schema.NullOr(Schema.Int),
  error: Schema.NullOr(Schema.String),
  failureClass: Schema.NullOr(FailureClass),
  failureResetAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "TaskResult" })
export type TaskResult = typeof TaskResult.Type

/** At most `longest` characters of the answer. After automatic retries, the answer of the latest attempt. */
export const taskResult = Effect.fn("taskResult")(function* (asked: TaskId, longest: number) {
  const tasks = yield* Tasks
  const { id } = yield* latestAttempt(asked)
  const task = yield* tasks.get(id)
  if (!isTerminal(task.status)) {
    return yield* new TaskStateConflict({ id, step: "give an answer", actual: task.status })
  }
  const result: TaskResult = {
    id,
    status: task.status,
    answer: task.answer === null ? null : cutText(task.answer, longest),
    answerCut: task.answer !== null && task.answer.length > longest,
    sessionId: task.sessionId,
    durationMs: task.startedAt === null || task.endedAt === null ? null : task.endedAt - task.startedAt,
    usage: task.usage,
    cause: task.cause,
    exitCode: task.exitCode,
    error: task.error,
    failureClass: task.failureClass,
    failureResetAt: task.failureResetAt
  }
  return result
})
