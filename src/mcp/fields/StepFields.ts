/** The fields that describe the steps of a pipeline, in every tool that takes them. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import { problemText } from "../../domain/pipeline/PipelineErrors.ts"
import { needsIsolation } from "../../programs/pipelines/isolationProblems.ts"
import { planOfValue } from "../../programs/pipelines/planOf.ts"
import type { PipelineDefaults } from "../../programs/pipelines/preparePipeline.ts"

/** The plan, read like the content of a file; `name` is used if the content has none. `isolation`: what a step that needs it is told. */
export const planOf = (content: Readonly<Record<string, unknown>>, name: string, isolation: string) =>
  Effect.mapError(planOfValue(content, name), ({ problems }) => {
    const told = problems.map((problem) =>
      problemText(null, problem.hint === needsIsolation ? { ...problem, hint: isolation } : problem)
    )
    return new InvalidInput({ field: "steps", problem: told.join("\n"), example: null })
  })

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
