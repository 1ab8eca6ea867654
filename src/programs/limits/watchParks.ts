/** Watches tasks for being parked by a limit, and for continuing after it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LimitWait } from "../../domain/limits/AccountLimits.ts"
import type { TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { watch } from "../watch.ts"

/** So many tasks at most: a caller that waits for more wants no line for each. */
const most = 20

export interface ParkNews {
  readonly task: TaskSummary
  /** What it waits for; null: it continues. */
  readonly wait: LimitWait | null
}

/** Never returns; to be run next to a wait. A task that is parked already when it begins is told too. */
export const watchParks = Effect.fn("watchParks")(function* <R>(
  ids: ReadonlyArray<TaskId>,
  tell: (news: ParkNews) => Effect.Effect<void, never, R>
) {
  const tasks = yield* Tasks
  const parked = new Set<TaskId>()
  const look = Effect.gen(function* () {
    for (const id of ids.slice(0, most)) {
      const task = yield* retryWhileBusy(tasks.summary(id))
      if (task.parkedAt !== null && !parked.has(id)) {
        const wait = yield* retryWhileBusy(tasks.limitWait(id))
        if (Option.isNone(wait)) continue
        parked.add(id)
        yield* tell({ task, wait: wait.value })
      } else if (task.parkedAt === null && parked.delete(id) && task.status === "running") {
        yield* tell({ task, wait: null })
      }
    }
  })
  return yield* watch(look, () => false)
})
