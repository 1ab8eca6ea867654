/** Waits until tasks have ended or reached a status. Any process can wait, and none is busy meanwhile. */
import * as Effect from "effect/Effect"
import { isTerminal, type TaskId, type TaskStatus, type TaskSummary } from "../../domain/task/Task.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { waitUntil } from "../watch.ts"
import type { EnsureWorkerOptions } from "../worker/ensureWorker.ts"
import { latestAttempt } from "./latestAttempt.ts"

/** What a wait is for: the end, or a status on the way there. */
export type Goal = "end" | TaskStatus

/** `reached` also holds for a status that was passed between two looks. `missed`: it can no longer be reached. */
export const standing = (task: TaskSummary, goal: Goal): "reached" | "missed" | "pending" => {
  const over = isTerminal(task.status)
  if (goal === "end") return over ? "reached" : "pending"
  if (goal === "queued" || task.status === goal) return "reached"
  if (goal === "running" && task.startedAt !== null) return "reached"
  return over ? "missed" : "pending"
}

export interface WaitOptions extends EnsureWorkerOptions {
  readonly goal: Goal
  /** Return when the first task has reached the goal; a task that missed it does not count until all have. */
  readonly any: boolean
  /** Called with the tasks at each round, the first and the last included. */
  readonly onRound?: (tasks: ReadonlyArray<TaskSummary>) => Effect.Effect<void>
}

/**
 * Returns the tasks in their state at the end of the wait, in the order given; after automatic retries, the latest
 * attempt. A task whose goal is out of reach ends its own wait. No time limit: `Effect.timeout` is for the caller.
 */
export const waitFor = Effect.fn("waitFor")(function* (ids: ReadonlyArray<TaskId>, options: WaitOptions) {
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

  return yield* waitUntil(Effect.tap(round, options.onRound ?? (() => Effect.void)), isOver, options)
})
