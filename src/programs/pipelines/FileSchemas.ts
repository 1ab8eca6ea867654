/** The JSON Schemas of pipeline and loop files, for editors: made of the schemas that files are read by. */
import * as JSONSchema from "effect/JSONSchema"
import { isObject } from "../../domain/isObject.ts"
import { LoopFile } from "../../domain/loop/LoopFile.ts"
import { extensionKey } from "../../domain/pipeline/FileFields.ts"
import { PipelineFile } from "../../domain/pipeline/PipelineFile.ts"
import { tidySchema } from "../../domain/tidySchema.ts"

/** What filters say of themselves; keywords such as `maxLength` say the same. */
const generic = /^an? (string|array) |^\w+\(\d+\)$/

const tidy = (schema: unknown): unknown =>
  tidySchema(schema, {
    drops: (keyword, value) =>
      (keyword === "title" || keyword === "description") && typeof value === "string" && generic.test(value)
  })

/** The reader takes any value under a key such as `x-anchors`; a schema that only lists fields cannot say so. */
const withExtensions = (schema: unknown, name: string) => {
  const definitions = isObject(schema) ? schema.$defs : undefined
  const own = isObject(definitions) ? definitions[name] : undefined
  if (!isObject(schema) || !isObject(definitions) || !isObject(own)) return schema
  return { ...schema, $defs: { ...definitions, [name]: { ...own, patternProperties: { [extensionKey.source]: {} } } } }
}

export const pipelineJsonSchema = () => withExtensions(tidy(JSONSchema.make(PipelineFile)), "Pipeline")

export const loopJsonSchema = () => withExtensions(tidy(JSONSchema.make(LoopFile)), "Loop")
