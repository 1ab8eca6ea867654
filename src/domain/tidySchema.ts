/** A JSON Schema that was made from a schema, without the parts that say nothing to its reader: the one pass for editors and models. */
import { isObject } from "./isObject.ts"

interface TidyOptions {
  /** Whether a keyword is left out. `properties` is not a keyword to it, so a field may have any name. */
  readonly drops: (keyword: string, value: unknown) => boolean
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const ofAnything = (value: unknown): value is { readonly "": unknown } =>
  isObject(value) && Object.keys(value).join() === "" && "" in value

export const tidySchema = (schema: unknown, options: TidyOptions): unknown => {
  if (Array.isArray(schema)) return schema.map((inner) => tidySchema(inner, options))
  if (!isObject(schema)) return schema
  const kept: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (options.drops(keyword, value) || (keyword === "required" && isEmptyList(value))) continue
    // A record of any values: one keyword says it.
    if (keyword === "patternProperties" && ofAnything(value)) {
      kept.additionalProperties = tidySchema(value[""], options)
    } else if (keyword === "properties" && isObject(value)) {
      const fields = Object.entries(value)
      if (fields.length === 0 && "patternProperties" in schema) continue
      kept[keyword] = Object.fromEntries(fields.map(([name, field]) => [name, tidySchema(field, options)]))
    } else kept[keyword] = tidySchema(value, options)
  }
  return kept
}
