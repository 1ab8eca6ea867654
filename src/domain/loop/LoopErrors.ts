/** Errors about loops that a caller distinguishes. */
import * as Schema from "effect/Schema"
import { OtherKind, otherKindText } from "../OtherKind.ts"
import { isOpen, LoopStatus } from "./Loop.ts"
import { LoopId } from "./LoopId.ts"

/** No loop has this reference, or several do. */
export class LoopNotFound extends Schema.TaggedError<LoopNotFound>()("LoopNotFound", {
  reference: Schema.String,
  /** Ids that the reference fits, where it fits several. */
  candidates: Schema.Array(Schema.String),
  /** What it names instead. */
  other: Schema.optional(OtherKind),
  /** A goal was looked for: a loop whose work is done by a lead. */
  goal: Schema.optional(Schema.Boolean)
}) {
  override get message(): string {
    const noun = this.goal === true ? "goal" : "loop"
    if (this.other !== undefined) return otherKindText(this.other, noun)
    if (this.candidates.length > 0) {
      return `'${this.reference}' fits several ${noun}s: ${this.candidates.join(", ")}. Give more characters.`
    }
    if (this.reference === "@last") {
      return this.goal === true
        ? `There is no goal yet. Set one: beat goal "move from REST to tRPC" --until "npm test"`
        : `There is no loop yet. Start one: beat loop "fix the tests" --until "npm test"`
    }
    return `No ${noun} '${this.reference}'. 'beat ${noun} list' shows the ids.`
  }
}

const stateWords = (status: LoopStatus): string => (isOpen(status) ? `it is ${status}` : `it has ended as '${status}'`)

/** A step that the status of the loop does not allow. */
export class LoopStateConflict extends Schema.TaggedError<LoopStateConflict>()("LoopStateConflict", {
  id: LoopId,
  /** After "cannot". */
  step: Schema.Literal("be paused", "be resumed"),
  actual: LoopStatus
}) {
  override get message(): string {
    return `Loop ${this.id} cannot ${this.step}: ${stateWords(this.actual)}. 'beat loop status ${this.id}' shows its rounds.`
  }
}
