/**
 * The one way out of the server: every message passes here, whatever made it, so that no text of an agent steers a terminal or
 * leaves the fence that a client puts around what it shows its model.
 */
import { isObject } from "../../domain/isObject.ts"
import { sanitize } from "../../text/Sanitize.ts"

/** A tag in text of an agent could close a client's fence. JSON text has the same value with this; in a sentence it can be read. */
const fenceProof = (text: string): string => text.replaceAll("<", "\\u003c")

/** A client finds its request by this: it comes back as it was sent. */
const echoed = "progressToken"

/** A document, not JSON: what an agent printed, or its answer. */
const isDocument = ({ mimeType, text, uri }: Readonly<Record<string, unknown>>): boolean =>
  typeof uri === "string" && typeof text === "string" && mimeType !== "application/json"

/**
 * Where `<` stays as it is. Values (`structuredContent`) get their text form from the client. A document is read as a file is:
 * code that a model copies out of it has to be right, and a client that fences files escapes them. The text of a prompt is what
 * the person has just typed.
 */
const keepsTags = (key: string, within: Readonly<Record<string, unknown>>): boolean =>
  key === "structuredContent" || key === "messages" || (key === "text" && isDocument(within))

const cleanText = (text: string, fenced: boolean): string => (fenced ? fenceProof(sanitize(text)) : sanitize(text))

const clean = (value: unknown, fenced: boolean): unknown => {
  if (typeof value === "string") return cleanText(value, fenced)
  if (Array.isArray(value)) return value.map((inner) => clean(inner, fenced))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      cleanText(key, fenced),
      key === echoed ? inner : clean(inner, fenced && !keepsTags(key, value))
    ])
  )
}

/** The message as it is written. Its id is the client's own. */
export const outgoing = (message: object): object =>
  Object.fromEntries(Object.entries(message).map(([key, part]) => [key, key === "id" ? part : clean(part, true)]))
