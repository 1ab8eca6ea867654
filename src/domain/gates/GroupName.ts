/** The name of a group of tasks. */
import * as Schema from "effect/Schema"

export const GroupName = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    description: "1 to 64 letters, digits and . _ - , the first a letter or a digit"
  }),
  Schema.annotations({ identifier: "GroupName" })
)
export type GroupName = typeof GroupName.Type

/** Tasks of a group that may run at the same time. */
export const GroupLimit = Schema.Int.pipe(Schema.between(1, 10_000))
