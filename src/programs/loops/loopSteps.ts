/** The steps of a round as tasks that are submitted. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { LoopPlan } from "../../domain/loop/LoopPlan.ts"
import { type PipelineDefaults, stepSubmission } from "../pipelines/preparePipeline.ts"
import type { RoundStep, WantedLoop } from "./submitLoop.ts"

/** What a plan leaves open is as in the settings; its directories are absolute. A single step needs no name. */
export const loopSteps = Effect.fn("loopSteps")(function* (
  { steps }: LoopPlan,
  defaults: Pick<PipelineDefaults, "directory">
) {
  const open: PipelineDefaults = {
    agent: null,
    model: null,
    systemPrompt: null,
    priority: "P1",
    timeoutMs: undefined,
    stallMs: undefined,
    labels: {},
    ...defaults
  }
  const named = yield* Effect.forEach(steps, (step) =>
    Effect.map(stepSubmission(step, open), (work): RoundStep => ({ name: steps.length === 1 ? null : step.name, work }))
  )
  const result: WantedLoop["steps"] = Arr.isNonEmptyReadonlyArray(named)
    ? named
    : yield* Effect.dieMessage("a round without a step")
  return result
})
