/** Tells a person that a running task has no worker, and starts one for it. */
import * as Effect from "effect/Effect"
import type { TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { neglected, neglectWords, rescue } from "../../programs/serving/Neglect.ts"
import { stylesOf } from "../framework/Style.ts"
import { Terminal } from "../framework/Terminal.ts"

/** Lines at most: after a restart there may be many. */
const most = 3

export const runningIn = (tasks: ReadonlyArray<Pick<TaskSummary, "id" | "status">>): ReadonlyArray<TaskId> =>
  tasks.flatMap(({ id, status }) => (status === "running" ? [id] : []))

/** On stderr, so that a table or JSON stays what it is. Only those of the tasks that run can have lost their worker. */
export const tellNeglect = Effect.fn("tellNeglect")(function* (ids: ReadonlyArray<TaskId>) {
  const found = yield* neglected(ids)
  if (found.size === 0) return
  const launched = yield* rescue(found)
  const terminal = yield* Terminal
  const { yellow } = stylesOf(terminal.stderr)
  const lines = Array.from(found, ([id, state]) => `Task ${id} ${neglectWords(state)}.`)
  const more = lines.length > most ? [`So it is with ${lines.length - most} more.`] : []
  const started = launched ? ["A worker was started now."] : []
  yield* terminal.say([...lines.slice(0, most), ...more, ...started].map(yellow).join("\n"))
})
