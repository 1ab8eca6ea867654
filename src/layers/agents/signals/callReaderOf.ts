/** Reads the calls of tools in the lines of an agent's stream: that one begins, and how it ended. Never what was asked or said. */
import * as Schema from "effect/Schema"
import type { CallEvent, CallReader } from "../../../domain/traces/ToolCall.ts"
import { flag, listOf, loose, number, reader, text } from "../reading/Printed.ts"

/** Looks at the lines alone that may hold a call: most are long and hold none. */
const readerOf = <A, I>(
  mayHold: RegExp,
  schema: Schema.Schema<A, I>,
  eventsOf: (line: A) => ReadonlyArray<CallEvent>
): CallReader => {
  const read = reader(schema)
  return (line) => {
    const found = mayHold.test(line) ? read(line) : null
    return found === null ? [] : eventsOf(found)
  }
}

const begins = (id: string | undefined, more: Omit<CallEvent, "id" | "phase"> = {}): ReadonlyArray<CallEvent> =>
  id === undefined ? [] : [{ id, phase: "begins", ...more }]

const ends = (id: string | undefined, failed: boolean | undefined): ReadonlyArray<CallEvent> =>
  id === undefined ? [] : [{ id, phase: "ends", failed }]

/** Qwen Code prints the same. */
const claude = readerOf(
  /"(?:server_|mcp_)?tool_(?:use|result)"/,
  Schema.Struct({
    type: text,
    parent_tool_use_id: text,
    message: loose(
      Schema.Struct({
        content: listOf(Schema.Struct({ type: text, id: text, name: text, tool_use_id: text, is_error: flag }), {})
      })
    )
  }),
  ({ message, parent_tool_use_id: within, type }) =>
    type !== "assistant" && type !== "user"
      ? []
      : (message?.content ?? []).flatMap((block) => {
          switch (block.type) {
            case "tool_use":
            case "server_tool_use":
            case "mcp_tool_use":
              return begins(block.id, { name: block.name, within })
            case "tool_result":
              return ends(block.tool_use_id, block.is_error === true)
            default:
              return []
          }
        })
)

/** Items that are calls of tools; the other kinds are not. */
const codexTools: Readonly<Record<string, string>> = {
  command_execution: "Bash",
  file_change: "Edit",
  web_search: "WebSearch"
}

const codex = readerOf(
  /"type"\s*:\s*"item\.(?:started|completed)"/,
  Schema.Struct({
    type: text,
    item: loose(Schema.Struct({ id: text, type: text, status: text, server: text, tool: text }))
  }),
  ({ item, type }) => {
    const name =
      item?.type === "mcp_tool_call"
        ? `${item.server ?? "mcp"}.${item.tool ?? "tool"}`
        : codexTools[item?.type ?? "other"]
    if (item === undefined || name === undefined) return []
    if (type === "item.started") return begins(item.id, { name })
    // Some kinds are printed at their end alone.
    return item.id === undefined ? [] : [{ id: item.id, phase: "whole", name, failed: item.status === "failed" }]
  }
)

const gemini = readerOf(
  /"type"\s*:\s*"tool_(?:use|result)"/,
  Schema.Struct({ type: text, tool_name: text, tool_id: text, status: text }),
  ({ status, tool_id: id, tool_name: name, type }) =>
    type === "tool_use" ? begins(id, { name }) : type === "tool_result" ? ends(id, status === "error") : []
)

const opencode = readerOf(
  /"type"\s*:\s*"tool_use"/,
  Schema.Struct({
    type: text,
    part: loose(
      Schema.Struct({
        tool: text,
        callID: text,
        state: loose(Schema.Struct({ status: text, time: loose(Schema.Struct({ start: number })) }))
      })
    )
  }),
  ({ part, type }) =>
    type !== "tool_use" || part?.callID === undefined
      ? []
      : [
          {
            id: part.callID,
            phase: "whole",
            name: part.tool,
            failed: part.state?.status === "error",
            startedAt: part.state?.time?.start
          }
        ]
)

const pi = readerOf(
  /"type"\s*:\s*"tool_execution_(?:start|end)"/,
  Schema.Struct({ type: text, toolCallId: text, toolName: text, isError: flag }),
  ({ isError, toolCallId: id, toolName: name, type }) =>
    type === "tool_execution_start"
      ? begins(id, { name })
      : type === "tool_execution_end"
        ? ends(id, isError === true)
        : []
)

const copilot = readerOf(
  /"type"\s*:\s*"tool\.execution_(?:start|complete)"/,
  Schema.Struct({
    type: text,
    data: loose(Schema.Struct({ toolCallId: text, toolName: text, parentToolCallId: text, success: flag }))
  }),
  ({ data, type }) =>
    type === "tool.execution_start"
      ? begins(data?.toolCallId, { name: data?.toolName, within: data?.parentToolCallId })
      : type === "tool.execution_complete"
        ? ends(data?.toolCallId, data?.success === false)
        : []
)

const readers: ReadonlyMap<string, CallReader> = new Map([
  ["claude", claude],
  ["qwen", claude],
  ["codex", codex],
  ["copilot", copilot],
  ["gemini", gemini],
  ["opencode", opencode],
  ["pi", pi]
])

export const callReaderOf = (agent: string): CallReader | null => readers.get(agent) ?? null
