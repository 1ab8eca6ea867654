/** What is known of an account: its windows, and what waits for them. */
import * as Schema from "effect/Schema"
import { TaskId, Timestamp } from "../task/Task.ts"
import { AccountKey } from "./Account.ts"
import { Window } from "./Window.ts"

export const AccountLimits = Schema.Struct({
  account: AccountKey,
  /** The agent that showed it first. */
  agent: Schema.String,
  /** The account whose windows count for it; null: its own. */
  joinedTo: Schema.NullOr(AccountKey),
  /** When all of its tasks may start; null: now. */
  opensAt: Schema.NullOr(Timestamp),
  /** The window that it waits for. */
  window: Schema.NullOr(Schema.String),
  /** Tasks that may run at the same time after a limit; null: no bound. */
  places: Schema.NullOr(Schema.Int),
  running: Schema.Int,
  /** Tasks that wait for it, counted up to 1000. */
  waiting: Schema.Int,
  /** The task that starts first and asks whether the limit is over. */
  next: Schema.NullOr(TaskId),
  windows: Schema.Array(Window)
}).annotations({ identifier: "AccountLimits" })
export type AccountLimits = typeof AccountLimits.Type

/** What `beat limits --json` prints. */
export const LimitsView = Schema.Struct({ accounts: Schema.Array(AccountLimits) }).annotations({
  identifier: "LimitsView"
})

/** What one queued task waits for. */
export const LimitWait = Schema.Struct({
  account: AccountKey,
  window: Schema.String,
  opensAt: Timestamp
}).annotations({ identifier: "LimitWait" })
export type LimitWait = typeof LimitWait.Type
