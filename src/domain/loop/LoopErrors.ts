/** Errors about loops that a caller distinguishes. */
import * as Schema from "effect/Schema"
import { LoopStatus } from "./Loop.ts"
import { LoopId } from "./LoopId.ts"

/** No loop has this reference, or several do. */
export class LoopNotFound extends Schema.TaggedError<LoopNotFound>()("LoopNotFound", {
  reference: Schema.String,
  /** Ids that the reference fits, where it fits several. */
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    if (this.candidates.length > 0) {
      return `'${this.reference}' fits several loops: ${this.candidates.join(", ")}. Give more characters.`
    }
    return this.reference === "@last"
      ? `There is no loop yet. Start one: beat loop "fix the tests" --until "npm test"`
      : `No loop '${this.reference}'. 'beat loop list' shows the ids.`
  }
}

/** A step that the status of the loop does not allow. */
export class LoopStateConflict extends Schema.TaggedError<LoopStateConflict>()("LoopStateConflict", {
  id: LoopId,
  /** After "cannot". */
  step: Schema.Literal("be paused", "be resumed"),
  actual: LoopStatus
}) {
  override get message(): string {
    return `Loop ${this.id} is ${this.actual}: it cannot ${this.step}. 'beat loop status ${this.id}' shows its rounds.`
  }
}
