/** What a line of an agent's output says about limits, and about what it has used, while the agent runs. */

import type { ModelUse } from "../usage/ModelUse.ts"

/** A window with its state. Other windows of the account may come in further signals. */
export interface Seen {
  readonly _tag: "Seen"
  readonly window: string
  /** The family of models that it limits; the empty text: all. */
  readonly family: string
  readonly used: number | null
  readonly closed: boolean
  readonly resetsAt: number | null
}

/** The model service answered: whatever was closed for these models when this attempt began is open. */
export interface Served {
  readonly _tag: "Served"
}

/** The agent waits inside its process for a limit to end, for a known time or without one. */
export interface Sleeping {
  readonly _tag: "Sleeping"
  readonly ms: number | null
}

/** The limit is over and the run continues on paid credits. */
export interface Overage {
  readonly _tag: "Overage"
  readonly resetsAt: number | null
}

/** What one answer of a model has used. */
export interface Used {
  readonly _tag: "Used"
  /** The same for all lines about one answer; null: there is one line. */
  readonly key: string | null
  readonly use: ModelUse
}

/** The session in which the agent works: it keeps a record of it that may say more. */
export interface InSession {
  readonly _tag: "InSession"
  readonly id: string
}

export type LimitSignal = InSession | Seen | Served | Sleeping | Overage | Used

/** What is stored of signals, in the transaction that stores the output they come from. */
export type StoredSignal = Seen | Served

/** How long an agent may wait inside its process, in milliseconds: a place is worth more than that. */
export const longestSleepMs = 120_000
