/** How a task ends: the one argument of `Queue.finish`. */
import * as Schema from "effect/Schema"
import { Spending } from "../usage/ModelUse.ts"
import { EndCause, FailureClass, TerminalStatus, Timestamp, Usage } from "./Task.ts"

export const Outcome = Schema.Struct({
  status: TerminalStatus,
  cause: EndCause,
  exitCode: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String),
  failureClass: Schema.NullOr(FailureClass),
  failureResetAt: Schema.NullOr(Timestamp),
  sessionId: Schema.NullOr(Schema.String),
  answer: Schema.NullOr(Schema.String),
  usage: Schema.NullOr(Usage),
  /** What its last run used, for the ledger; null: no run of it counts. */
  spending: Schema.NullOr(Spending),
  leftovers: Schema.Int.pipe(Schema.nonNegative())
})
export type Outcome = typeof Outcome.Type

/** An outcome with nothing known but its status and cause. */
export const outcome = (fields: Pick<Outcome, "status" | "cause"> & Partial<Outcome>): Outcome => ({
  exitCode: null,
  signal: null,
  error: null,
  failureClass: null,
  failureResetAt: null,
  sessionId: null,
  answer: null,
  usage: null,
  spending: null,
  leftovers: 0,
  ...fields
})

/** How a task ends that was cancelled before its agent started. */
export const cancelledUnstarted: Outcome = outcome({ status: "cancelled", cause: "cancelled" })
