/** What an idle worker compares between two looks: while all of it is the same, a whole look would find nothing new. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"

export const Stillness = Schema.Struct({
  /** The schema that is stored. */
  schema: Schema.Int,
  /** Rows of the worker itself, 1 or 0: a restored backup takes it off the list. */
  listed: Schema.Int,
  /** Workers on the list. */
  workers: Schema.Int,
  /** Tasks that are queued or running. */
  open: Schema.Int,
  /** The number of the newest end of a task. */
  lastEnd: Schema.Int,
  lastNotice: Schema.Int,
  /** Messages that no agent has taken, 1 where there are any. */
  messages: Schema.Int,
  /** Deliveries to hooks that have not ended, 1 where there are any. */
  deliveries: Schema.Int,
  /** When the next schedule fires. */
  nextFireAt: Schema.NullOr(Timestamp)
})
export type Stillness = typeof Stillness.Type

/**
 * Whether a worker has nothing to do as long as nothing of this changes and no schedule fires. `alone`: it leaves when there is
 * nothing to do at all, and where an older worker serves the queue, so the others matter to it.
 */
export const isStill = (now: Stillness, alone: boolean): boolean =>
  now.listed === 1 &&
  now.open === 0 &&
  now.messages === 0 &&
  now.deliveries === 0 &&
  (!alone || now.nextFireAt !== null)

export const isSame = (now: Stillness, before: Stillness, alone: boolean): boolean =>
  now.schema === before.schema &&
  now.listed === before.listed &&
  (!alone || now.workers === before.workers) &&
  now.open === before.open &&
  now.lastEnd === before.lastEnd &&
  now.lastNotice === before.lastNotice &&
  now.messages === before.messages &&
  now.deliveries === before.deliveries &&
  now.nextFireAt === before.nextFireAt
