/** The name of a loop. */
import * as Schema from "effect/Schema"

/** Formed as a task's id is; each is looked up among its own kind. */
export const LoopId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, e.g. m8x2k3v9q4ab" }),
  Schema.brand("LoopId"),
  Schema.annotations({ identifier: "LoopId" })
)
export type LoopId = typeof LoopId.Type
