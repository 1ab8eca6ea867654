/** Which tasks may be claimed, as far as their own rows decide it, and in which order. */
import type { TaskSummary } from "./Task.ts"

/** Queued, not blocked, and with no open question: a worker has something to wait for. */
export const isStartable = ({ asks, status, waitingOn }: Pick<TaskSummary, "status" | "waitingOn" | "asks">): boolean =>
  status === "queued" && waitingOn === 0 && asks === 0

/** Startable, due and not asked to stop. */
export const isReady = (
  task: Pick<TaskSummary, "status" | "waitingOn" | "asks" | "cancelRequestedAt" | "notBefore">,
  now: number
): boolean => isStartable(task) && task.cancelRequestedAt === null && (task.notBefore === null || task.notBefore <= now)

type Place = Pick<TaskSummary, "priority" | "seq">

/** Below 0 where `left` is claimed before `right`: by priority, then by arrival. */
export const claimOrder = (left: Place, right: Place): number =>
  left.priority === right.priority ? left.seq - right.seq : left.priority < right.priority ? -1 : 1
