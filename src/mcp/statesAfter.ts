/** Messages to a client about tasks that were accepted. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isTerminal } from "../domain/task/Task.ts"
import { taskState } from "../programs/reports/taskState.ts"
import { retryWhileBusy } from "../programs/retryWhileBusy.ts"
import type { SubmitResult } from "../programs/tasks/submit.ts"
import type { TaskStates } from "./TaskStates.ts"

export const statesAfter = Effect.fn("statesAfter")(function* (result: SubmitResult) {
  // The tasks are stored: an error here would make the client submit them again.
  const states = yield* Effect.forEach(result.tasks, ({ task }) => retryWhileBusy(taskState(task.id)))
  const warnings = result.tasks.flatMap(({ created, task, warnings }) => [
    ...warnings,
    ...(created ? [] : [`idempotency key already used by task ${task.id}; no new task was created`])
  ])
  const problem = Option.match(result.problem, {
    onNone: () => [],
    onSome: ({ message }) => [`the task is queued, but no worker could be started: ${message}`]
  })
  const answer: TaskStates = {
    tasks: states,
    groups: null,
    pending: states.flatMap(({ id, status }) => (isTerminal(status) ? [] : [id])),
    cursor: 0,
    more: false,
    timedOut: false,
    warnings: [...new Set(warnings), ...problem]
  }
  return answer
})
