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
  /** When all of its tasks but the spare ones may start; null: now. */
  opensAt: Schema.NullOr(Timestamp),
  /** The window that it waits for. */
  window: Schema.NullOr(Schema.String),
  /** Tasks that may run at the same time after a limit; null: no bound. */
  places: Schema.NullOr(Schema.Int),
  running: Schema.Int,
  /** Tasks that wait for it, without the spare ones, counted up to 1000. */
  waiting: Schema.Int,
  /** The task that starts first and asks whether the limit is over. */
  next: Schema.NullOr(TaskId),
  /** Its spare tasks; null when none waits for room that would go unused. */
  spare: Schema.NullOr(
    Schema.Struct({
      /** Counted up to 1000. */
      waiting: Schema.Int,
      /** When the first of them may start. */
      opensAt: Timestamp,
      /** `spare_` and the name of the window whose room they use, or the limit that they wait for. */
      window: Schema.String
    })
  ),
  windows: Schema.Array(Window)
}).annotations({ identifier: "AccountLimits" })
export type AccountLimits = typeof AccountLimits.Type

/** Whether it keeps tasks that could start otherwise. */
export const keepsTasks = ({ opensAt, spare }: AccountLimits): boolean => opensAt !== null || spare !== null

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

/**
 * Why a queued task does not start although its account is open: all places are taken, since `running` of the `limit` tasks that may run
 * after a limit run already. For the limit of one family of models, both are 1.
 */
export const PlaceWait = Schema.Struct({
  account: AccountKey,
  running: Schema.Int,
  limit: Schema.Int,
  /** The task that asks whether the limit is over; null: it was answered, and more may start every 20 seconds. */
  asking: Schema.NullOr(TaskId)
})
export type PlaceWait = typeof PlaceWait.Type
