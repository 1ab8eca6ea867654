/** What an agent may not do from inside its task. */
import * as Schema from "effect/Schema"
import { TaskId } from "./Task.ts"

/** A step that a person may take, and an agent may not. */
export class OutsideTask extends Schema.TaggedError<OutsideTask>()("OutsideTask", {
  /** The task whose agent asks. */
  inside: TaskId,
  /** After "may not". */
  step: Schema.String,
  /** Missing: an agent changes only what it delegated itself. */
  because: Schema.optional(Schema.String)
}) {
  override get message(): string {
    const because = this.because ?? "an agent changes only what it delegated itself"
    return `This runs inside task ${this.inside}, which may not ${this.step}: ${because}. Ask the person to do it.`
  }
}
