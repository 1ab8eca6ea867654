/** Which tasks may be claimed, as far as their own rows decide it, and in which order. */
import type { TaskSummary } from "./Task.ts"

/** Queued, due, not blocked, with no open question and not asked to stop. */
export const isReady = (
  task: Pick<TaskSummary, "status" | "waitingOn" | "asks" | "cancelRequestedAt" | "notBefore">,
  now: number
): boolean =>
  task.status === "queued" &&
  task.waitingOn === 0 &&
  task.asks === 0 &&
  task.cancelRequestedAt === null &&
  (task.notBefore === null || task.notBefore <= now)

type Place = Pick<TaskSummary, "priority" | "seq">

/** Below 0 where `left` is claimed before `right`: by priority, then by arrival. */
export const claimOrder = (left: Place, right: Place): number =>
  left.priority === right.priority ? left.seq - right.seq : left.priority < right.priority ? -1 : 1
