/** JSON Schemas for clients, made from the schemas of rows and commands, without the parts that only cost context. */
import * as JSONSchema from "effect/JSONSchema"
import type * as Schema from "effect/Schema"
import { isObject } from "../../domain/isObject.ts"
import { tidySchema } from "../../domain/tidySchema.ts"
import { isTime, type JsonObject } from "../forModel.ts"

/** The descriptions of filters, which keywords such as `minimum` repeat. */
const generic = /^an? (integer|string|number|array|non|positive|negative|object|record|finite)/

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0

const drops = (keyword: string, value: unknown): boolean =>
  keyword === "$schema" ||
  keyword === "$defs" ||
  (keyword === "title" && typeof value === "string") ||
  (keyword === "description" && typeof value === "string" && generic.test(value))

const withoutNoise = (schema: JsonObject): JsonObject => {
  const kept = tidySchema(schema, { drops })
  return isObject(kept) ? kept : {}
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

const largestBound = 1_000_000

/** A variable of a pipeline file: arguments have none. */
const isVariable = (schema: unknown): boolean =>
  isObject(schema) && typeof schema.pattern === "string" && schema.pattern.startsWith("\\$\\{")

/** Without what only repeats the default of the language: any value, and bounds that no caller reaches by mistake. */
const briefly = (value: unknown, key = ""): unknown => {
  if (Array.isArray(value)) return value.map((inner) => briefly(inner))
  if (!isObject(value)) return value
  const inProperties = key === "properties"
  const { anyOf, ...shared } = value
  if (!inProperties && Array.isArray(anyOf)) {
    const [only, ...others] = anyOf.filter((one) => !isVariable(one))
    if (others.length === 0 && isObject(only)) return briefly({ ...only, ...shared })
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (inProperties) return [[name, briefly(inner)]]
      if (name === "additionalProperties" && isObject(inner) && inner.$id === "/schemas/unknown") return []
      if (name === "description" && inner === "") return []
      if (name === "maximum" && typeof inner === "number" && inner > largestBound) return []
      if (name === "minLength" && inner === 1) return []
      if (name === "pattern" && inner === "\\S") return []
      // The characters of a key: an error names them.
      if (name === "propertyNames") return []
      if (name === "properties" && isEmpty(inner) && "additionalProperties" in value) return []
      return [[name, briefly(inner, name)]]
    })
  )
}

/** The schema of arguments: everything that the server takes and refuses. It is always in a model's context. */
export const inputSchema = <A, I>(schema: Schema.Schema<A, I>): JsonObject => {
  const brief = briefly(jsonSchema(schema))
  return isObject(brief) ? withoutRepeats(brief) : {}
}

/** The members of a list take the fields of the call itself: what those mean is said once. */
const withoutRepeats = (schema: JsonObject): JsonObject => {
  const fields = isObject(schema.properties) ? schema.properties : {}
  const described = (name: string) => isObject(fields[name]) && "description" in fields[name]
  const plain = (name: string, field: unknown) => {
    if (!isObject(field) || !described(name)) return field
    const { description: _, ...rest } = field
    return rest
  }
  const properties = Object.entries(fields).map(([name, field]) => {
    if (!isObject(field) || !isObject(field.items) || !isObject(field.items.properties)) return [name, field] as const
    const members = Object.entries(field.items.properties).map(([key, inner]) => [key, plain(key, inner)] as const)
    return [name, { ...field, items: { ...field.items, properties: Object.fromEntries(members) } }] as const
  })
  return { ...schema, properties: Object.fromEntries(properties) }
}

/** How many levels of objects have their fields listed. */
const shownLevels = 2

/** Fields and their types, as far as `forModel` leaves them: null is never sent, and times are texts. */
const shapeOf = (value: unknown, definitions: JsonObject, levels: number, key: string): JsonObject => {
  if (!isObject(value)) return {}
  const { $ref, anyOf } = value
  if (typeof $ref === "string") return shapeOf(definitions[$ref.slice(prefix.length)], definitions, levels, key)
  if (Array.isArray(anyOf)) {
    const [one, ...others] = anyOf.filter((alternative) => !isObject(alternative) || alternative.type !== "null")
    return others.length === 0 ? shapeOf(one, definitions, levels, key) : {}
  }
  if (isTime(key)) return { type: "string" }
  if (value.type === "array") return { type: "array", items: shapeOf(value.items, definitions, levels, key) }
  if (value.type === "object" && isObject(value.properties) && levels > 0) {
    const fields = Object.entries(value.properties).map(
      ([name, inner]) => [name, shapeOf(inner, definitions, levels - 1, name)] as const
    )
    return { type: "object", properties: Object.fromEntries(fields) }
  }
  return typeof value.type === "string" ? { type: value.type } : {}
}

/** The schema of an answer, as small as an answer may be. */
export const outputSchema = <A, I>(schema: Schema.Schema<A, I>): JsonObject => {
  const whole = jsonSchema(schema)
  return { ...shapeOf(whole, isObject(whole.$defs) ? whole.$defs : {}, shownLevels, ""), type: "object" }
}
