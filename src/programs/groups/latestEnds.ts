/** The ends of some tasks, each that of its latest attempt. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import type { TaskEnded } from "../../domain/task/TerminalEvent.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"

/** The ends in the order in which they happened. `pending`: the attempts that have not ended. */
export const latestEnds = Effect.fn("latestEnds")(function* (ids: ReadonlyArray<TaskId>) {
  const tasks = yield* Tasks
  const ends: Array<TaskEnded> = []
  const pending: Array<TaskId> = []
  let asked = ids
  while (asked.length > 0) {
    const told = yield* retryWhileBusy(tasks.endsOf(asked))
    const over = new Set(told.map(({ id }) => id))
    pending.push(...asked.filter((id) => !over.has(id)))
    ends.push(...told.filter(({ retriedBy }) => retriedBy === null))
    asked = told.flatMap(({ retriedBy }) => retriedBy ?? [])
  }
  ends.sort((left, right) => left.seq - right.seq)
  return { ends, pending }
})
