/** A value as a model reads it: without empty fields, with times that people write, and without bytes that a terminal obeys. */
import { isObject } from "../domain/isObject.ts"
import { sanitize } from "../text/Sanitize.ts"
import { toolWords } from "./toolWords.ts"

export type JsonObject = { readonly [key: string]: unknown }

/** Fields that hold milliseconds since 1970: `createdAt`, `notBefore`, `at`. */
export const isTime = (key: string): boolean => /At$|^at$|^notBefore$|^until$/.test(key)

/** Fields with messages of ours; an agent's answer is left as it is. */
const isMessage = (key: string): boolean => /^(error|warnings|reason|note|waitsFor)$/.test(key)

/** Milliseconds of 1973: a smaller number is a length of time or a count. */
const earliest = 100_000_000_000

const shown = (value: unknown, key: string): unknown => {
  if (typeof value === "string") return sanitize(isMessage(key) ? toolWords(value) : value)
  if (typeof value === "number" && value >= earliest && isTime(key)) return new Date(value).toISOString()
  if (Array.isArray(value)) return value.map((inner) => shown(inner, key))
  return isObject(value) ? fieldsOf(value, isEmpty) : value
}

const isNone = (value: unknown): boolean => value === null || value === undefined

const isEmpty = (value: unknown): boolean =>
  isNone(value) || (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0)

const fieldsOf = (value: JsonObject, leavesOut: (inner: unknown) => boolean): JsonObject =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const text = shown(inner, key)
      return leavesOut(text) ? [] : [[sanitize(key), text] as const]
    })
  )

/**
 * Fields that are null are left out, and below the first level empty lists and objects too: they would be most of what a model is
 * shown of a queued task. An empty list of the answer itself (`pending`) is what the model has asked for.
 */
export const forModel = (value: JsonObject): JsonObject => fieldsOf(value, isNone)
