/** The loop whose rounds do one piece of work, as its submission says. */
import type { LoopPlan } from "../../domain/loop/LoopPlan.ts"
import type { LoopRequest } from "../../domain/loop/LoopRequest.ts"
import { plainStep } from "../../domain/pipeline/plainStep.ts"
import type { Submission } from "../tasks/prepareTask.ts"

export const planOfWork = (
  { base, request }: { readonly base: string; readonly request: LoopRequest },
  { name, prompt }: { readonly name: string; readonly prompt: string },
  work: Submission
): LoopPlan => ({
  request,
  base,
  steps: [
    {
      ...plainStep({ name, prompt, stage: 0, after: [] }),
      agent: work.agent,
      model: work.model,
      priority: work.priority,
      // As written, 0 is none.
      timeoutMs: work.timeoutMs === null ? 0 : (work.timeoutMs ?? null),
      stallMs: work.stallMs === null ? 0 : (work.stallMs ?? null),
      systemPrompt: work.systemPrompt,
      labels: work.labels,
      retries: work.maxRetries ?? null,
      backoffMs: work.backoffMs ?? null
    }
  ]
})
