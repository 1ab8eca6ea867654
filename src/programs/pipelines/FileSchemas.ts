/** The JSON Schemas of pipeline and loop files, for editors: made of the schemas that files are read by. */
import * as JSONSchema from "effect/JSONSchema"
import { LoopFile } from "../../domain/loop/LoopFile.ts"
import { extensionKey } from "../../domain/pipeline/FileFields.ts"
import { PipelineFile } from "../../domain/pipeline/PipelineFile.ts"
import { isObject } from "../files/Problems.ts"

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

/** The reader takes any value under a key such as `x-anchors`; a schema of fields alone cannot say so. */
const withExtensions = (schema: unknown, name: string) => {
  const definitions = isObject(schema) ? schema.$defs : undefined
  const own = isObject(definitions) ? definitions[name] : undefined
  if (!isObject(schema) || !isObject(definitions) || !isObject(own)) return schema
  return { ...schema, $defs: { ...definitions, [name]: { ...own, patternProperties: { [extensionKey.source]: {} } } } }
}

export const pipelineJsonSchema = () => withExtensions(tidy(JSONSchema.make(PipelineFile)), "Pipeline")

export const loopJsonSchema = () => withExtensions(tidy(JSONSchema.make(LoopFile)), "Loop")
