/** Errors about schedules that a caller distinguishes. */
import * as Schema from "effect/Schema"
import { OtherKind, otherKindText } from "../OtherKind.ts"
import { ScheduleStatus } from "./Schedule.ts"
import { ScheduleId } from "./ScheduleId.ts"

export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  reference: Schema.String,
  /** Ids that the reference fits, where it fits several. */
  candidates: Schema.Array(Schema.String),
  /** What it names instead. */
  other: Schema.optional(OtherKind)
}) {
  override get message(): string {
    if (this.other !== undefined) return otherKindText(this.other, "schedule")
    if (this.candidates.length > 0) {
      return `'${this.reference}' fits several schedules: ${this.candidates.join(", ")}. Give more characters.`
    }
    return this.reference === "@last"
      ? "There is no schedule yet. Make one: beat schedule create --help"
      : `No schedule '${this.reference}'. 'beat schedule list --all' shows them.`
  }
}

/** The schedule is in a status that the step does not allow, or was changed meanwhile. */
export class ScheduleStateConflict extends Schema.TaggedError<ScheduleStateConflict>()("ScheduleStateConflict", {
  id: ScheduleId,
  step: Schema.String,
  /** Null: another command has changed it since it was read. */
  actual: Schema.NullOr(ScheduleStatus)
}) {
  override get message(): string {
    return this.actual === null
      ? `Schedule ${this.id} was changed by another command in the meantime. Try again.`
      : `Schedule ${this.id} is ${this.actual}: it cannot ${this.step} now.`
  }
}
