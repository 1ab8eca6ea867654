/** Tasks counted by what they have in common: what runs and waits now, and how those went that ended lately. */
import * as Schema from "effect/Schema"
import { GroupName } from "../gates/GroupName.ts"
import { EndCause, FailureClass, TaskStatus } from "../task/Task.ts"

/** Upper bounds of the histograms, in seconds; what is above the last one is in the bucket after it. */
export const bucketSeconds = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400] as const

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
