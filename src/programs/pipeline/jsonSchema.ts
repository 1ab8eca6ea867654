/** The JSON Schema of a pipeline file, for editors: made of the schema that files are read by. */
import * as JSONSchema from "effect/JSONSchema"
import { PipelineFile } from "../../domain/PipelineFile.ts"

export const pipelineJsonSchema = () => JSONSchema.make(PipelineFile)
