/** A loop that has not begun: what decides its rounds, and the steps of each. */
import * as Schema from "effect/Schema"
import { PlannedStep } from "../pipeline/PlannedStep.ts"
import { mostSteps } from "./Loop.ts"
import { LoopRequest } from "./LoopRequest.ts"

export const LoopPlan = Schema.Struct({
  request: LoopRequest,
  /** What its workspace is cut from: `HEAD`, `tree`, a revision or a task. */
  base: Schema.NonEmptyString,
  /** In their order: each follows the one before it. */
  steps: Schema.Array(PlannedStep).pipe(Schema.minItems(1), Schema.maxItems(mostSteps))
}).annotations({ identifier: "LoopPlan" })
export type LoopPlan = typeof LoopPlan.Type
