/** Watches tasks for being parked by a limit, and for continuing after it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LimitWait } from "../../domain/limits/AccountLimits.ts"
import type { TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { watch } from "../watch.ts"

/** The most tasks that get a line each; a caller that waits for more does not want one. */
const most = 20

export interface ParkNews {
  readonly task: TaskSummary
  /** What it waits for; null: it continues. */
  readonly wait: LimitWait | null
}

/** Never returns; to be run next to a wait. Also reports a task that is already parked when it begins. */
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
