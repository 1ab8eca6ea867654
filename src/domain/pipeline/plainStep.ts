/** A step that says nothing but its name, its prompt and its place: everything else is as the pipeline has it. */
import type { PlannedStep } from "./PlannedStep.ts"

export const plainStep = (given: Pick<PlannedStep, "name" | "prompt" | "stage" | "after">): PlannedStep => ({
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
  delayMs: 0,
  continueFrom: null,
  workspace: null,
  gate: null,
  contest: null,
  loop: null,
  ...given
})
