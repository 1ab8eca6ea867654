/** The JSON Schema of a pipeline file, for editors: made of the schema that files are read by. */
import * as JSONSchema from "effect/JSONSchema"
import { extensionKey, PipelineFile } from "../../domain/pipeline/PipelineFile.ts"
import { isObject } from "./problems.ts"

/** What filters say of themselves; keywords such as `maxLength` say the same. */
const generic = /^an? (string|array) |^\w+\(\d+\)$/

const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy)
  if (!isObject(value)) return value
  const kept: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    if ((key === "title" || key === "description") && typeof inner === "string" && generic.test(inner)) continue
    if (Array.isArray(inner) && inner.length === 0) continue
    // A record of anything: one keyword says it.
    if (key === "patternProperties" && isObject(inner)) kept.additionalProperties = tidy(inner[""])
    else if (!(key === "properties" && "patternProperties" in value)) kept[key] = tidy(inner)
  }
  return kept
}

const made = () => tidy(JSONSchema.make(PipelineFile))

/** The reader takes any value under a key such as `x-anchors`; a schema of fields alone cannot say so. */
export const pipelineJsonSchema = () => {
  const schema = made()
  const definitions = isObject(schema) ? schema.$defs : undefined
  if (!isObject(schema) || !isObject(definitions) || !isObject(definitions.Pipeline)) return schema
  const Pipeline = { ...definitions.Pipeline, patternProperties: { [extensionKey.source]: {} } }
  return { ...schema, $defs: { ...definitions, Pipeline } }
}
