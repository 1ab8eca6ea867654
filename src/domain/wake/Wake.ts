/** The wake: a task waits in the queue for what it delegated, and continues in its session when that has ended. */
import * as Schema from "effect/Schema"
import { GroupId } from "../GroupId.ts"
import { TaskId, Timestamp } from "../task/Task.ts"
import { ClaimId } from "../worker/Claim.ts"

/** Ids in one wake, as many as a task may depend on. */
export const mostAwaited = 100

/** What a task can wait for. The ids of all kinds are formed alike. */
export const AwaitedId = Schema.Union(TaskId, GroupId)
export type AwaitedId = typeof AwaitedId.Type

/** Wakes of one task. A goal sets its own bound. */
export const mostWakes = 100

/** `all`: when the last of what it waits for has ended. `any`: when the first has. */
export const WakeMode = Schema.Literal("all", "any")
export type WakeMode = typeof WakeMode.Type

export const Wake = Schema.Struct({
  taskId: TaskId,
  /** 1 for the first wake of the task. */
  n: Schema.Int.pipe(Schema.positive()),
  /** The run of the agent that asked for it. */
  claimId: ClaimId,
  mode: WakeMode,
  /** `agent`: it asked. `backbeat`: it ended its turn while its tasks were open. */
  askedBy: Schema.Literal("agent", "backbeat"),
  askedAt: Timestamp,
  /** When the run ended and the task went back to the queue; null while the agent still runs. */
  parkedAt: Schema.NullOr(Timestamp),
  /** When the task was claimed again. */
  wokenAt: Schema.NullOr(Timestamp),
  /** The session in which it continues; null where its agent starts again. */
  sessionId: Schema.NullOr(Schema.String),
  /** What it waits for, in the order in which it was named. */
  awaited: Schema.Array(AwaitedId)
}).annotations({ identifier: "Wake" })
export type Wake = typeof Wake.Type

/** A wake that cannot be stored. */
export class WakeRefused extends Schema.TaggedError<WakeRefused>()("WakeRefused", {
  id: TaskId,
  problem: Schema.Literal("not-running", "cycle", "limit", "nothing-open"),
  /** What is in the way for `cycle`; the bound for `limit`. */
  detail: Schema.String
}) {
  override get message(): string {
    switch (this.problem) {
      case "not-running":
        return `Task ${this.id} does not run: only the agent of a running task can ask to be woken.`
      case "cycle":
        return `${this.detail} waits for this task itself, so neither would ever start. Leave it out, or cancel it.`
      case "limit":
        return `limit: ${this.detail} wakes used. Finish with what you have.`
      case "nothing-open":
        return "All of these tasks have ended: there is nothing to wait for. Read TaskResult and continue."
    }
  }
}
