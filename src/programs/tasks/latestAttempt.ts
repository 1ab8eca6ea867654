/** Finds the attempt that counts: an automatic retry replaces the task that it retries. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskId } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"

/** The task itself, or the last of the automatic retries that it led to and that is still stored. */
export const latestAttempt = Effect.fn("latestAttempt")(function* (id: TaskId) {
  const tasks = yield* Tasks
  let task = yield* tasks.summary(id)
  while (task.retriedBy !== null) {
    const next = yield* tasks.summary(task.retriedBy).pipe(
      Effect.map(Option.some),
      Effect.catchTag("TaskNotFound", () => Effect.succeedNone)
    )
    if (Option.isNone(next)) return task
    task = next.value
  }
  return task
})
