/** One time that a task was parked: which limit or budget it met, and when it was released. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { AccountKey } from "./Account.ts"

export const Park = Schema.Struct({
  /** From 1. */
  n: Schema.Int,
  at: Timestamp,
  /** The account whose limit it met; null: a budget was spent. */
  account: Schema.NullOr(AccountKey),
  /** The window that it waited for, or `budget`. */
  window: Schema.String,
  /** When it was expected to end; null: when a person raises the budget. */
  resetsAt: Schema.NullOr(Timestamp),
  /** The session in which it continues; null: it starts again from the beginning. */
  sessionId: Schema.NullOr(Schema.String),
  /** When it was claimed again; null while it waits. */
  releasedAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "Park" })
export type Park = typeof Park.Type
