/** One thing that the doctor looked at, and what it found. */
import * as Schema from "effect/Schema"

export const Check = Schema.Struct({
  /** Stable name: `node`, `home`, `owner`, `modes`, `config`, `disk`, `agents`, `database`, `workers`, `spool`, `queue`, `schedules`, `workspaces`, `merges`, `hooks`. */
  name: Schema.String,
  /** `warn`: works, but needs attention. `fixed`: was broken and is repaired now. */
  status: Schema.Literal("ok", "warn", "fail", "fixed"),
  detail: Schema.String,
  /** What to do. */
  advice: Schema.NullOr(Schema.String)
}).annotations({ identifier: "Check" })
export type Check = typeof Check.Type
