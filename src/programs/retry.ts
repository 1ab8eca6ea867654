/** Tries an ended task again: the same work in the environment captured then, prepared afresh. */
import * as Effect from "effect/Effect"
import { TaskStateConflict } from "../domain/Errors.ts"
import { isTerminal, type TaskId } from "../domain/Task.ts"
import { Queue } from "../services/Queue.ts"
import { Tasks } from "../services/Tasks.ts"
import { submit } from "./submit.ts"
import type { Submitter } from "./submitter.ts"

/**
 * The arguments are not replayed: they may name the session of the first attempt, which the agent would refuse, and a
 * program that was updated may lie elsewhere now. An agent that is gone meanwhile fails as in a new submission.
 */
export const retry = Effect.fn("retry")(function* (id: TaskId, submitter: Submitter) {
  const tasks = yield* Tasks
  const queue = yield* Queue
  const task = yield* tasks.get(id)
  if (!isTerminal(task.status)) return yield* new TaskStateConflict({ id, step: "be retried", actual: task.status })
  const captured = yield* queue.captured(id)
  const configured = new Set(captured.launch.configured ?? [])
  // A key that was wrong in the config then must not stand before the one that is right now.
  const environment = Object.fromEntries(Object.entries(captured.environment).filter(([name]) => !configured.has(name)))
  return yield* submit(
    [
      {
        prompt: task.prompt,
        agent: task.agent,
        model: task.model,
        systemPrompt: task.systemPrompt,
        priority: task.priority,
        directory: task.directory,
        timeoutMs: task.timeoutMs,
        stallMs: task.stallMs,
        maxOutputBytes: task.maxOutputBytes,
        notBefore: null,
        idempotencyKey: null,
        labels: task.labels,
        extra: {},
        retryOf: id,
        continuation: "retry",
        maxRetries: task.maxRetries,
        backoffMs: task.backoffMs
      }
    ],
    { ...submitter, environment }
  )
})
