/** JSON Schemas for clients, made from the schemas of rows and commands, without the parts that only cost context. */
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"

export type JsonObject = { readonly [key: string]: unknown }

const isObject = Schema.is(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

/** The descriptions of filters, which keywords such as `minimum` repeat. */
const generic = /^an? (integer|string|number|array|non|positive|negative|object|record)/

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0

const withoutNoise = (schema: JsonObject): JsonObject => {
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$schema" || key === "$defs") continue
    if (key === "title" && typeof value === "string") continue
    if (key === "description" && typeof value === "string" && generic.test(value)) continue
    // A record of any values: one keyword describes it.
    if (key === "patternProperties" && isObject(value) && Object.keys(value).join() === "") {
      kept.additionalProperties = tidy(value[""])
      continue
    }
    if (key === "required" && isEmpty(value)) continue
    if (key === "properties" && isObject(value)) {
      if (isEmpty(value) && "patternProperties" in schema) continue
      kept[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, tidy(inner)]))
      continue
    }
    kept[key] = tidy(value)
  }
  return kept
}

const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy)
  return isObject(value) ? withoutNoise(value) : value
}

const prefix = "#/$defs/"

/** A definition that is as small as a reference to it is inlined. */
const inline = (value: unknown, small: ReadonlyMap<string, JsonObject>): unknown => {
  if (Array.isArray(value)) return value.map((inner) => inline(inner, small))
  if (!isObject(value)) return value
  const { $ref, ...rest } = value
  const found = typeof $ref === "string" ? small.get($ref.slice(prefix.length)) : undefined
  const whole = found === undefined ? value : { ...found, ...rest }
  return Object.fromEntries(Object.entries(whole).map(([key, inner]) => [key, inline(inner, small)]))
}

const count = (text: string, part: string): number => text.split(part).length - 1

/** One object, with its definitions next to it. The root must be the object itself: clients require it. */
export const jsonSchema = <A, I>(schema: Schema.Schema<A, I>): JsonObject => {
  const made: unknown = JSON.parse(JSON.stringify(JSONSchema.make(schema, { target: "jsonSchema2020-12" })))
  if (!isObject(made)) throw new Error("the schema of a tool is not an object")
  const definitions = new Map<string, JsonObject>()
  for (const [name, value] of Object.entries(isObject(made.$defs) ? made.$defs : {})) {
    if (isObject(value)) definitions.set(name, withoutNoise(value))
  }
  const named = typeof made.$ref === "string" ? definitions.get(made.$ref.slice(prefix.length)) : undefined
  const root = named ?? withoutNoise(made)
  const everything = JSON.stringify([root, ...definitions.values()])
  const small = new Map(
    Array.from(definitions).filter(([name, definition]) => {
      const reference = JSON.stringify({ $ref: `${prefix}${name}` })
      const uses = count(everything, `"${prefix}${name}"`)
      return uses <= 1 || JSON.stringify(definition).length <= reference.length + 20
    })
  )
  const body = inline(root, small)
  if (!isObject(body)) throw new Error("the schema of a tool is not an object")
  // Without a type, a struct without fields would accept arrays too.
  if (body.type !== "object") return { type: "object", properties: {}, additionalProperties: false }
  const text = JSON.stringify(body)
  const shared: Record<string, unknown> = {}
  for (const [name, definition] of definitions) if (!small.has(name)) shared[name] = inline(definition, small)
  const used = Object.entries(shared).filter(
    ([name]) => text.includes(`"${prefix}${name}"`) || JSON.stringify(shared).includes(`"${prefix}${name}"`)
  )
  return used.length === 0 ? body : { ...body, $defs: Object.fromEntries(used) }
}

/** Bounds that no caller reaches by mistake; decoding the arguments enforces them and reports them. */
const bounds = new Set(["minLength", "maxLength", "minItems", "maxItems", "minimum", "pattern", "propertyNames"])

const largestTold = 1_000_000

const briefly = (value: unknown, key = ""): unknown => {
  if (Array.isArray(value)) return value.map((inner) => briefly(inner))
  if (!isObject(value)) return value
  const inProperties = key === "properties"
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (inProperties) return [[name, briefly(inner)]]
      if (bounds.has(name) || (name === "additionalProperties" && inner === false)) return []
      // Any value is allowed, which an empty schema says already.
      if (name === "additionalProperties" && isObject(inner) && inner.$id === "/schemas/unknown") return []
      if (name === "description" && inner === "") return []
      if (name === "maximum" && typeof inner === "number" && inner > largestTold) return []
      return [[name, briefly(inner, name)]]
    })
  )
}

/** The schema of arguments, which is always in a model's context. */
export const inputSchema = <A, I>(schema: Schema.Schema<A, I>): JsonObject => {
  const brief = briefly(jsonSchema(schema))
  return isObject(brief) ? brief : {}
}
