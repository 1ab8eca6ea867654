/** Reads a pipeline file: YAML or JSON. */
import type { PipelinePlan } from "../../domain/pipeline/Pipeline.ts"
import { type Format, type ReadOptions, readFile } from "../files/readFile.ts"
import { planOf } from "./planOf.ts"

const pipelineFormat: Format<PipelinePlan> = {
  key: "steps",
  example: "steps: [{ agent: shell, prompt: make }]",
  planOf
}

export const readPipeline = (text: string, options: ReadOptions) => readFile(text, options, pipelineFormat)
