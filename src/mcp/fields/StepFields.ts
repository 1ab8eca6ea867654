/** How an agent describes the steps of a pipeline, in every tool that takes them. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import { planOfValue } from "../../programs/pipelines/plan.ts"
import type { PipelineDefaults } from "../../programs/pipelines/preparePipeline.ts"

/** The plan, read as a file's content is; `name` stands where the content gives none. */
export const planOf = (content: Readonly<Record<string, unknown>>, name: string) =>
  Effect.mapError(
    planOfValue(content, name),
    ({ message }) => new InvalidInput({ field: "steps", problem: message, example: null })
  )

/** For steps that do not say: what the settings have, in the server's directory. */
export const stepDefaults = (directory: string): PipelineDefaults => ({
  agent: null,
  model: null,
  systemPrompt: null,
  priority: "P1",
  directory,
  timeoutMs: undefined,
  stallMs: undefined,
  labels: {}
})
