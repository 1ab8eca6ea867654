/** The worker: one claim of one task by one worker, and the process that carries it out. */
import * as Schema from "effect/Schema"
import { EndCause, Millis, TaskId, Timestamp } from "../task/Task.ts"
import { ProcessIdentity } from "./Process.ts"
import { WorkerId } from "./Worker.ts"

/** Names a claim and its spool directory. A task that is claimed again gets a new one. */
export const ClaimId = Schema.String.pipe(Schema.pattern(/^[0-9a-z]{16}$/), Schema.brand("ClaimId"))
export type ClaimId = typeof ClaimId.Type

/** `claimed`: no process is known yet. `running`: the shim has reported its identity. */
const ClaimState = Schema.Literal("claimed", "running")

/**
 * When a task that starts now has run for that long, on a clock of the machine. One that no clock reaches is cut to the largest time
 * there is.
 */
const deadlineOf = (uptimeMs: number, timeoutMs: number | null): number | null =>
  timeoutMs === null ? null : Math.min(uptimeMs + timeoutMs, Number.MAX_SAFE_INTEGER)

/**
 * Why an agent is ended. Its task is parked where it is `limited` (it met a usage limit and would wait inside its process),
 * `paused` by a person, or `asks` (a question of it stays open), or where a `budget` is spent that it counts against.
 */
export const StopCause = Schema.Literal(...EndCause.literals, "limited", "paused", "asks", "budget")
export type StopCause = typeof StopCause.Type

export const Claim = Schema.Struct({
  taskId: TaskId,
  claimId: ClaimId,
  /** The worker that looks after it; when that dies another takes the row over. */
  workerId: WorkerId,
  state: ClaimState,
  /** The shim, which leads the process group of the agent. */
  process: Schema.NullOr(ProcessIdentity),
  /** The boot under which the claim was made. */
  bootId: Schema.NonEmptyString,
  claimedAt: Timestamp,
  runningAt: Schema.NullOr(Timestamp),
  /** When the timeout ends it: milliseconds of `Host.uptimeMs`, for a clock that is set must not end it early or late. */
  deadlineUptime: Schema.NullOr(Millis),
  /**
   * Since when its processes are frozen, on the same clock: written before the first of them is stopped, and cleared after the
   * last of them continues. Its timeout stands still in between.
   */
  frozenUptime: Schema.NullOr(Millis),
  /**
   * When the time of its loop is over, in milliseconds of `Host.sinceBootMs`; null where it works for no loop with a deadline. Neither a
   * freeze nor the sleep of the machine prolongs it.
   */
  boundUptime: Schema.NullOr(Millis),
  /** Why Backbeat is ending it, written before the first signal so that an adopter knows. */
  stopCause: Schema.NullOr(StopCause),
  stopAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "Worker" })
export type Claim = typeof Claim.Type

/** A claim as it is made, before any process is known. */
export const newClaim = (
  made: Pick<Claim, "taskId" | "claimId" | "workerId" | "bootId" | "claimedAt"> & {
    readonly uptimeMs: number
    readonly sinceBootMs: number
    readonly timeoutMs: number | null
    /** What is left of the time of its loop; null where it works for no loop with a deadline. */
    readonly boundMs: number | null
  }
): Claim => ({
  taskId: made.taskId,
  claimId: made.claimId,
  workerId: made.workerId,
  state: "claimed",
  process: null,
  bootId: made.bootId,
  claimedAt: made.claimedAt,
  runningAt: null,
  deadlineUptime: deadlineOf(made.uptimeMs, made.timeoutMs),
  frozenUptime: null,
  boundUptime: deadlineOf(made.sinceBootMs, made.boundMs),
  stopCause: null,
  stopAt: null
})

/** What keeps a task's agent from starting. */
export const StartProblem = Schema.Struct({
  /** Starts that failed since the task was submitted. */
  count: Schema.Int,
  /** Why the last of them did. */
  message: Schema.String
}).annotations({ identifier: "StartProblem" })
export type StartProblem = typeof StartProblem.Type
