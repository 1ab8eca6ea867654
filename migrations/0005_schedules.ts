/** Schedules and what they have started. */
import * as Effect from "effect/Effect"

export default Effect.void
