/** What a task is doing, read when it is asked for: a wait that nothing is asked of reads nothing. */
import * as Effect from "effect/Effect"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import * as Render from "../../text/Render.ts"
import type { Activity } from "../reports/watchActivity.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"

/** Chunks in one read, and reads in one go: what is left is for the next time. */
const batch = 16
const readsInOneGo = 64

/** The returned effect reads what was printed since it last ran, and gives what was read so far. To be run by one fiber at a time. */
export const readActivity = Effect.fn("readActivity")(function* (task: Pick<TaskSummary, "id" | "agent">) {
  const output = yield* OutputStore
  const render = Render.make(yield* (yield* Agents).renderer(task.agent))
  let seen: Activity = { lines: 0, last: "" }
  let after = -1
  return Effect.gen(function* () {
    for (let reads = 0; reads < readsInOneGo; reads++) {
      const chunks = yield* retryWhileBusy(output.read({ taskId: task.id, stream: null, after, limit: batch }))
      for (const chunk of chunks) {
        const lines = render.push(chunk)
        const last = lines.findLast(({ text }) => text.trim() !== "")?.text.trim()
        seen = { lines: seen.lines + lines.length, last: last ?? seen.last }
        after = chunk.seq
      }
      if (chunks.length < batch) break
    }
    return seen
  })
})
