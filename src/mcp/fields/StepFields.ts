/** The fields that describe the steps of a pipeline, in every tool that takes them. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import { planOfValue } from "../../programs/pipelines/planOf.ts"
import type { PipelineDefaults } from "../../programs/pipelines/preparePipeline.ts"

/** The plan, read like the content of a file; `name` is used if the content has none. */
export const planOf = (content: Readonly<Record<string, unknown>>, name: string) =>
  Effect.mapError(
    planOfValue(content, name),
    ({ message }) => new InvalidInput({ field: "steps", problem: message, example: null })
  )

/** Defaults for steps: the settings, and the server's directory. */
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
