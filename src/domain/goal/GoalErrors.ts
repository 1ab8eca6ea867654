/** Errors about goals that a caller distinguishes. */
import * as Schema from "effect/Schema"
import { LoopId } from "../loop/LoopId.ts"

/** A task exceeds a bound of the goal's tree. Nothing was stored. */
export class GoalLimitReached extends Schema.TaggedError<GoalLimitReached>()("GoalLimitReached", {
  goal: LoopId,
  /** Which bound, with its numbers. */
  bound: Schema.String
}) {
  override get message(): string {
    return `limit: ${this.bound}. Goal ${this.goal} allows no more.`
  }
}
