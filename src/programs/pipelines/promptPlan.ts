/** The plan of a few prompts, one after the other. */
import type { PipelinePlan } from "../../domain/pipeline/Pipeline.ts"
import { titleOf } from "../../domain/task/Task.ts"
import { cutText } from "../reports/taskState.ts"

export const promptPlan = (name: string | null, prompts: ReadonlyArray<string>): PipelinePlan => ({
  name: name ?? cutText(titleOf(prompts[0] ?? ""), 60),
  steps: prompts.map((prompt, index) => ({
    name: `step-${index + 1}`,
    stage: index,
    prompt,
    agent: null,
    model: null,
    directory: null,
    priority: null,
    timeoutMs: null,
    stallMs: null,
    systemPrompt: null,
    labels: {},
    retries: null,
    backoffMs: null,
    policy: "success",
    after: index === 0 ? [] : [index - 1],
    delayMs: 0,
    continueFrom: null
  }))
})
