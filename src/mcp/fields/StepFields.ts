/** The fields that describe the steps of a pipeline, in every tool that takes them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { problemText } from "../../domain/pipeline/PipelineErrors.ts"
import { FileStep, maxSteps } from "../../domain/pipeline/PipelineFile.ts"
import { needsIsolation } from "../../programs/pipelines/isolationProblems.ts"
import { planOfValue } from "../../programs/pipelines/planOf.ts"
import type { PipelineDefaults } from "../../programs/pipelines/preparePipeline.ts"

/** Steps as clients are shown them: all fields of a step of a pipeline file. `planOf` reads them, with the errors of a file. */
export const listedSteps = Schema.Array(FileStep).pipe(Schema.minItems(1), Schema.maxItems(maxSteps))

/** A schedule runs no isolated pipeline, so its steps have no fields that need one. */
export const listedPlainSteps = Schema.Array(
  FileStep.pipe(Schema.omit("workspace", "times", "matrix", "best", "loop"))
).pipe(Schema.minItems(1), Schema.maxItems(maxSteps))

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
