/** The names of the MCP clients that Backbeat can set up. */
import * as Schema from "effect/Schema"

export const ClientName = Schema.Literal("claude", "codex", "gemini", "cursor", "vscode", "opencode", "qwen", "copilot")
export type ClientName = typeof ClientName.Type
