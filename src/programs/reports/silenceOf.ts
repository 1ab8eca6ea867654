/** How long a running task has printed nothing. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { OutputStore } from "../../services/OutputStore.ts"

/** Milliseconds since the last output, or since the start; null for a task that does not run. */
export const silenceOf = Effect.fn("silenceOf")(function* (task: Pick<TaskSummary, "id" | "status" | "startedAt">) {
  if (task.status !== "running" || task.startedAt === null) return null
  const output = yield* OutputStore
  const streams = yield* output.streams(task.id)
  const now = yield* Clock.currentTimeMillis
  return Math.max(0, now - Math.max(task.startedAt, ...streams.map((stream) => stream.updatedAt)))
})
