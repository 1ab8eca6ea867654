/** A delivery: one message to one hook, and its next state after an attempt. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { WorkerId } from "../worker/Worker.ts"

/**
 * `due`: a worker tries it from `nextAt` on. `sending`: a worker tries it now. `summed`: it is part of the summary that goes
 * out under `lead`. `done`: it was accepted. `dead`: it is not tried again.
 */
export const DeliveryState = Schema.Literal("due", "sending", "summed", "done", "dead")
export type DeliveryState = typeof DeliveryState.Type

export const Delivery = Schema.Struct({
  hook: Schema.String,
  /** Of the notice. */
  seq: Schema.Int,
  id: Schema.String,
  kind: Schema.String,
  taskId: Schema.NullOr(Schema.String),
  state: DeliveryState,
  attempts: Schema.Int,
  /** When it is tried next; null where it is not. */
  nextAt: Schema.NullOr(Timestamp),
  /** The number of the notice whose message this one is part of. */
  lead: Schema.NullOr(Schema.Int),
  /** How the last attempt ended; null before the first. */
  last: Schema.NullOr(Schema.String),
  createdAt: Timestamp,
  endedAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "Delivery" })
export type Delivery = typeof Delivery.Type

/** A delivery that a worker has taken. */
export const Sending = Schema.Struct({
  hook: Schema.String,
  seq: Schema.Int,
  id: Schema.String,
  attempts: Schema.Int,
  /** When the first attempt began. */
  firstAt: Timestamp,
  /** The message, byte by byte the same over all attempts. */
  body: Schema.String
})
export type Sending = typeof Sending.Type

/** A delivery that some worker has taken. */
export const Taken = Schema.Struct({ hook: Schema.String, seq: Schema.Int, sender: WorkerId })
export type Taken = typeof Taken.Type

/** How an attempt ended. */
export type Outcome =
  | { readonly _tag: "Accepted"; readonly detail: string }
  /** It would not help to try again. */
  | { readonly _tag: "Refused"; readonly detail: string }
  | {
      readonly _tag: "Failed"
      readonly detail: string
      /** The receiver asked for at least this pause. */
      readonly pauseMs: number | null
      /** After this many attempts it is dead; null: only time decides. */
      readonly tries: number | null
    }

export type After =
  | { readonly state: "done" | "dead"; readonly last: string }
  | { readonly state: "due"; readonly nextAt: number; readonly last: string }

const hour = 60 * 60 * 1000

/** From the first attempt on, in milliseconds. */
export const patienceMs = 24 * hour

const longestPauseMs = hour

/** The most that is added to a pause, as a part of it. */
const spread = 1 / 4

/** What ends this long after its first attempt may have been given up for its age: the next one would have come after a day. */
export const nearlyOverMs = patienceMs - longestPauseMs * (1 + spread)

interface Tried {
  readonly attempts: number
  readonly firstAt: number
  readonly now: number
  readonly retryMs: number
  /** From 0 to 1: keeps receivers from being asked by all at the same moment. */
  readonly random: number
}

/** What follows from an attempt: the pause doubles up to an hour, and ends with a day. */
export const afterTry = (outcome: Outcome, { attempts, firstAt, now, random, retryMs }: Tried): After => {
  if (outcome._tag !== "Failed") {
    return { state: outcome._tag === "Accepted" ? "done" : "dead", last: outcome.detail }
  }
  if (outcome.tries !== null && attempts >= outcome.tries) return { state: "dead", last: outcome.detail }
  const own = Math.min(longestPauseMs, retryMs * 2 ** Math.min(30, attempts - 1))
  const pause = Math.max(Math.round(own * (1 + random * spread)), outcome.pauseMs ?? 0)
  return now + pause - firstAt > patienceMs
    ? { state: "dead", last: outcome.detail }
    : { state: "due", nextAt: now + pause, last: outcome.detail }
}

/** The outcome on record of an attempt whose end no worker saw. */
export const lostTry = "its worker ended during the attempt"
