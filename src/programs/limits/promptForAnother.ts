/** What another agent, or another session, is asked that takes over a task which was stopped. */
import * as Effect from "effect/Effect"
import type { Task } from "../../domain/task/Task.ts"
import { Queue } from "../../services/Queue.ts"
import { isScript, quoteFor } from "../../text/Quote.ts"
import { readLog } from "../output/readLog.ts"

/** Of the output of the agent before. */
const most = { lines: 200, bytes: 16_000 } as const

/** The prompt with the end of what the agent before printed. A script is run as it was. */
export const promptForAnother = Effect.fn("promptForAnother")(function* (
  task: Task,
  /** What stopped it. */
  stopped = "was stopped by a usage limit"
) {
  const queue = yield* Queue
  const { launch } = yield* queue.captured(task.id)
  const reader = { agent: task.agent, program: launch.file }
  const page = { since: null, lines: most.lines, maxBytes: most.bytes }
  const { text } = yield* readLog(task.id, { ...page, raw: false }).pipe(
    Effect.catchAllDefect(() => readLog(task.id, { ...page, raw: true }))
  )
  if (isScript(reader) || text.trim() === "") return task.prompt
  const told = quoteFor(reader)(`${task.agent} began this and ${stopped}. This is the end of what it printed.`, text)
  return [task.prompt, told, "Check the current state, and continue from where it stopped."].join("\n\n")
})
