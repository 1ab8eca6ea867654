/** Errors about contests that a caller distinguishes. */
import * as Schema from "effect/Schema"

/** No contest has this reference, or several do. */
export class ContestNotFound extends Schema.TaggedError<ContestNotFound>()("ContestNotFound", {
  reference: Schema.String,
  /** Ids that the reference fits, where it fits several. */
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.candidates.length > 0
      ? `'${this.reference}' fits several contests: ${this.candidates.join(", ")}. Give more characters.`
      : `No contest '${this.reference}'. 'beat run --times' prints the id of one.`
  }
}
