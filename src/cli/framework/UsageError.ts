/** An invalid command line. */
import * as Schema from "effect/Schema"

export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  problem: Schema.String,
  /** What to type instead. */
  hint: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return this.hint === null ? this.problem : `${this.problem}\n${this.hint}`
  }
}
