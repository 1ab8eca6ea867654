/** What a task is doing right now: how many lines it has printed, and the last of them. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import * as Render from "../../text/Render.ts"
import { follow } from "../output/follow.ts"

export interface Activity {
  readonly lines: number
  /** The last line that says something; empty when there was none. */
  readonly last: string
}

/** Reads the output in its own fiber until the scope closes; the returned effect gives what was read so far. */
export const watchActivity = Effect.fn("watchActivity")(function* (task: Pick<TaskSummary, "id" | "agent">) {
  const seen = yield* Ref.make<Activity>({ lines: 0, last: "" })
  const agents = yield* Agents
  const render = Render.make(yield* agents.renderer(task.agent))
  yield* follow(task.id, { stream: null, after: -1, follow: true }).pipe(
    Stream.runForEach((chunk) => {
      const lines = render.push(chunk)
      const last = lines.findLast(({ text }) => text.trim() !== "")?.text.trim()
      return Ref.update(seen, (before) => ({ lines: before.lines + lines.length, last: last ?? before.last }))
    }),
    Effect.catchAllCause((cause) => Effect.logDebug("watching the output has ended", cause)),
    Effect.forkScoped
  )
  return Ref.get(seen)
})
