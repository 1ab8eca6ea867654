/** Messages to a client about tasks that were accepted. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isTerminal } from "../domain/task/Task.ts"
import { briefState, taskState } from "../programs/reports/taskState.ts"
import type { SubmitResult } from "../programs/tasks/submit.ts"
import { onceStored } from "./onceStored.ts"
import type { TaskStates } from "./TaskStates.ts"

export const statesAfter = Effect.fn("statesAfter")(function* (result: SubmitResult) {
  const states = yield* Effect.forEach(result.tasks, ({ task }) => onceStored(taskState(task.id), briefState(task)))
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
