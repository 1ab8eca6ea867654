/** Errors about merges that a caller distinguishes. */
import * as Schema from "effect/Schema"

/** A merge that was not begun, or that cannot be taken back: nothing has changed. */
export class MergeRefused extends Schema.TaggedError<MergeRefused>()("MergeRefused", {
  /** One or two whole sentences. */
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** git failed at a step of a merge. */
export class MergeFailed extends Schema.TaggedError<MergeFailed>()("MergeFailed", {
  repository: Schema.String,
  /** What git said, one line. */
  detail: Schema.String
}) {
  override get message(): string {
    return `git failed in ${this.repository}: ${this.detail}`
  }
}
