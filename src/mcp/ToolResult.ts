/** The answer of a tool in the protocol's form: structured, the same as text, and links to the omitted parts. */
import type { CallToolResult } from "@modelcontextprotocol/server"
import type { JsonObject } from "./forModel.ts"
import { forModel } from "./forModel.ts"
import type { Link } from "./protocol/Resources.ts"

/** Clients cut results above their own limit, unless this field says that the length is intended. */
const meantToBeLong = 10_000

export const toolResult = (given: JsonObject, links: ReadonlyArray<Link>): CallToolResult => {
  const value = forModel(given)
  const text = JSON.stringify(value)
  return {
    content: [{ type: "text", text }, ...links.map((link) => ({ type: "resource_link" as const, ...link }))],
    structuredContent: { ...value },
    ...(text.length > meantToBeLong ? { _meta: { "anthropic/maxResultSizeChars": 200_000 } } : {})
  }
}

export const toolError = (text: string): CallToolResult => ({ content: [{ type: "text", text }], isError: true })
