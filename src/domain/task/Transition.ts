/** The state machine of a task: which step each status allows. */
import type { TaskStatus } from "./Task.ts"

/** A step in the life of a task. */
export type Step = "claim" | "requeue" | "complete" | "fail" | "cancel"

const steps: { readonly [S in TaskStatus]: { readonly [K in Step]?: TaskStatus } } = {
  queued: { claim: "running", fail: "failed", cancel: "cancelled" },
  running: { requeue: "queued", complete: "completed", fail: "failed", cancel: "cancelled" },
  completed: {},
  failed: {},
  cancelled: {}
}

/** The status that `step` leads to, or null where it is not allowed. */
export const transition = (status: TaskStatus, step: Step): TaskStatus | null => steps[status][step] ?? null

/** The step by which a task ends in `status`. */
export const endStep = { completed: "complete", failed: "fail", cancelled: "cancel" } as const

/** The statuses from which `step` is allowed: what a compare-and-set expects. */
export const sources = (step: Step): ReadonlyArray<TaskStatus> =>
  (["queued", "running", "completed", "failed", "cancelled"] as const).filter(
    (status) => transition(status, step) !== null
  )
