/** Tasks counted by what they have in common: what runs and waits now, and how those went that ended lately. */
import * as Schema from "effect/Schema"
import { GroupName } from "../gates/GroupName.ts"
import { EndCause, FailureClass, TaskStatus, type TaskSummary } from "../task/Task.ts"

/** Upper bounds of the histograms, in seconds; what is above the last one is in the bucket after it. */
export const bucketSeconds = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400] as const

/** Which bucket a length of time is in: from 0 to the number of bounds. */
export const bucketOf = (ms: number): number => {
  const at = bucketSeconds.findIndex((bound) => ms <= bound * 1000)
  return at === -1 ? bucketSeconds.length : at
}

const Count = Schema.Int.pipe(Schema.nonNegative())

export const Tally = Schema.Struct({
  status: TaskStatus,
  agent: Schema.String,
  group: Schema.NullOr(GroupName),
  cause: Schema.NullOr(EndCause),
  failureClass: Schema.NullOr(FailureClass),
  /** The bucket of the time from submit, or the earliest start, to the start; null: it has not ended, or never started. */
  wait: Schema.NullOr(Count),
  /** The bucket of the time from start to end; null likewise. */
  run: Schema.NullOr(Count),
  count: Count,
  waitMs: Count,
  runMs: Count
})
export type Tally = typeof Tally.Type

type Counted = Pick<
  TaskSummary,
  "agent" | "cause" | "createdAt" | "endedAt" | "failureClass" | "group" | "notBefore" | "startedAt" | "status"
>

/** How one task counts. A clock that was set back makes no length negative. */
export const tallyOf = (task: Counted): Tally => {
  const { agent, cause, createdAt, endedAt, failureClass, group, notBefore, startedAt, status } = task
  const over = endedAt !== null && startedAt !== null
  const waitMs = over ? Math.max(0, startedAt - Math.max(createdAt, notBefore ?? 0)) : 0
  const runMs = over ? Math.max(0, endedAt - startedAt) : 0
  return {
    status,
    agent,
    group,
    cause,
    failureClass,
    wait: over ? bucketOf(waitMs) : null,
    run: over ? bucketOf(runMs) : null,
    count: 1,
    waitMs,
    runMs
  }
}
