/** Waits for tasks to get somewhere, from any process, without being busy. */
import * as Effect from "effect/Effect"
import { isTerminal, type TaskId, type TaskStatus, type TaskSummary } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import { nextChange, retryWhileBusy } from "../nextChange.ts"
import { type EnsureWorkerOptions, whileWorkerRuns } from "../worker/ensureWorker.ts"
import { latestAttempt } from "./latestAttempt.ts"

/** What a wait is for: the end, or a status on the way there. */
export type Goal = "end" | TaskStatus

/** `reached` also holds for a status that was passed between two looks. `missed`: it cannot be reached any more. */
export const standing = (task: TaskSummary, goal: Goal): "reached" | "missed" | "pending" => {
  const over = isTerminal(task.status)
  if (goal === "end") return over ? "reached" : "pending"
  if (goal === "queued" || task.status === goal) return "reached"
  if (goal === "running" && task.startedAt !== null) return "reached"
  return over ? "missed" : "pending"
}

export interface WaitOptions extends EnsureWorkerOptions {
  readonly goal: Goal
  /** Return when the first of them got there; a task that missed the goal does not count until all have. */
  readonly any: boolean
  /** Told of each round in which something may have changed. */
  readonly onRound?: (tasks: ReadonlyArray<TaskSummary>) => Effect.Effect<void>
}

/**
 * Returns the tasks in their state at the end of the wait, in the order given; after automatic retries, the latest
 * attempt. A task whose goal is out of reach ends its own wait. No time limit: `Effect.timeout` is for the caller.
 */
export const waitFor = Effect.fn("waitFor")(function* (ids: ReadonlyArray<TaskId>, options: WaitOptions) {
  const tasks = yield* Tasks
  const settled = new Map<TaskId, TaskSummary>()

  const round = Effect.forEach(ids, (id) => {
    const known = settled.get(id)
    if (known !== undefined) return Effect.succeed(known)
    return Effect.map(retryWhileBusy(latestAttempt(id)), (task) => {
      if (standing(task, options.goal) !== "pending") settled.set(id, task)
      return task
    })
  })
  const isOver = (now: ReadonlyArray<TaskSummary>) =>
    settled.size === new Set(ids).size ||
    (options.any && now.some((task) => standing(task, options.goal) === "reached"))

  // The version is read before the rows: a commit between the two is then seen as a change, never missed.
  let version = yield* retryWhileBusy(tasks.version)
  const first = yield* round
  if (isOver(first)) return first

  const rest = Effect.gen(function* () {
    while (true) {
      version = yield* nextChange(version)
      const now = yield* round
      if (options.onRound !== undefined) yield* options.onRound(now)
      if (isOver(now)) return now
    }
  })
  return yield* whileWorkerRuns(rest, options)
})
