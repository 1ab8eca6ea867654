/** Whether a failed task is retried automatically, and when. */
import { believed } from "../limits/Limit.ts"
import type { Outcome } from "./Outcome.ts"
import type { EndCause, FailureClass, Task, TaskSummary } from "./Task.ts"

/** How far a pause grows, in milliseconds. One that was asked for and is longer stays as it is. */
export const maxBackoffMs = 60 * 60_000

/** How much longer than its length a pause may be, so that tasks that failed together start apart. */
export const mostSpread = 1.25

/** This many identical failures within this time end the attempts: the work, not the moment, is what fails. */
export const breaker = { failures: 3, withinMs: 10 * 60_000 } as const

/** What another attempt cannot change. */
const finalCauses: ReadonlySet<EndCause> = new Set(["cancelled", "dependency-failed", "output-limit", "spawn-failed"])
const finalClasses: ReadonlySet<FailureClass> = new Set(["auth", "budget", "max-turns", "model"])

/** What passes with time: the pauses between the attempts are meant for these, however often they come. */
const passing: ReadonlySet<FailureClass> = new Set(["network", "overloaded", "rate", "usage-limit"])

type Failure = Pick<TaskSummary, "cause" | "exitCode" | "failureClass" | "error">

const isSame = (left: Failure, right: Failure): boolean =>
  left.cause === right.cause &&
  left.exitCode === right.exitCode &&
  left.failureClass === right.failureClass &&
  left.error === right.error

type RetryDecision =
  | { readonly _tag: "Retry"; readonly notBefore: number; readonly maxRetries: number; readonly backoffMs: number }
  /** `reason` is for the person, null where there is nothing to say. */
  | { readonly _tag: "Final"; readonly reason: string | null }

const final = (reason: string | null): RetryDecision => ({ _tag: "Final", reason })

interface RetryQuestion {
  readonly task: Pick<Task, "maxRetries" | "backoffMs">
  readonly outcome: Outcome
  /** The agent says of its exit code that another attempt would end the same. */
  readonly finalExitCode: boolean
  /** Earlier attempts of the same work. */
  readonly before: ReadonlyArray<Failure & Pick<TaskSummary, "endedAt">>
  /** Milliseconds since 1970. */
  readonly now: number
  /** From 0 to 1: spreads the attempts of tasks that failed together. */
  readonly jitter: number
}

/** Decides on the next attempt. Its row says how many are left after it, and the pause that would come then: twice as long. */
export const decideRetry = ({ before, finalExitCode, jitter, now, outcome, task }: RetryQuestion): RetryDecision => {
  // A rejection is a decision, and its reason says all.
  if (outcome.status !== "failed" || task.maxRetries === 0 || outcome.cause === "rejected") return final(null)
  if (finalCauses.has(outcome.cause) || finalExitCode) return final("Not retried: the failure is permanent.")
  if (outcome.failureClass !== null && finalClasses.has(outcome.failureClass)) {
    return final("Not retried: the failure is permanent.")
  }
  const passes = outcome.failureClass !== null && passing.has(outcome.failureClass)
  const same = before.filter((one) => now - (one.endedAt ?? 0) <= breaker.withinMs && isSame(one, outcome)).length + 1
  if (!passes && same >= breaker.failures) {
    return final(`Not tried again: it failed ${same} times the same way within 10 minutes.`)
  }
  const pause = Math.round(task.backoffMs * (mostSpread - (1 - jitter) / 2))
  const limited = outcome.failureClass === "usage-limit" ? (believed(outcome.failureResetAt, null, now) ?? 0) : 0
  return {
    _tag: "Retry",
    // All tasks wait for the same reset: a minute spreads them.
    notBefore: Math.max(now + pause, limited + Math.round(jitter * 60_000) * (limited > 0 ? 1 : 0)),
    maxRetries: task.maxRetries - 1,
    backoffMs: Math.max(task.backoffMs, Math.min(maxBackoffMs, task.backoffMs * 2))
  }
}
