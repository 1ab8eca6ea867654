/** The clock on the wall at one moment of a boot: what tells a later process whether it was set since. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"

export const SeenClock = Schema.Struct({
  bootId: Schema.String,
  wallAt: Timestamp,
  /** Milliseconds since the boot, on a clock that cannot be set. */
  sinceBoot: Schema.Int
})
export type SeenClock = typeof SeenClock.Type

/** A wall clock that moves by less than this between two looks was corrected, not set. Milliseconds. */
export const correction = 500

/** Whether the clock was not set between the two, as far as they tell. A machine that slept on a clock that stops then tells nothing. */
export const agrees = (before: SeenClock, now: SeenClock): boolean =>
  before.bootId === now.bootId && Math.abs(now.wallAt - now.sinceBoot - (before.wallAt - before.sinceBoot)) < correction
