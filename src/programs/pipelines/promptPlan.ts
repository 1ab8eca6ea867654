/** The plan of a few prompts, one after the other. */
import type { PipelinePlan } from "../../domain/pipeline/Pipeline.ts"
import { plainStep } from "../../domain/pipeline/plainStep.ts"
import { titleOf } from "../../domain/task/Task.ts"
import { cutText } from "../reports/taskState.ts"

export const promptPlan = (name: string | null, prompts: ReadonlyArray<string>): PipelinePlan => ({
  name: name ?? cutText(titleOf(prompts[0] ?? ""), 60),
  isolate: false,
  setup: null,
  steps: prompts.map((prompt, index) =>
    plainStep({ name: `step-${index + 1}`, prompt, stage: index, after: index === 0 ? [] : [index - 1] })
  )
})
