/** What people see of the stream-json format of Claude Code, which Qwen Code prints too. */
import type { Renderer } from "../../../domain/task/Agent.ts"
import { failureLine, lines, strangers, toolCall, toolError } from "../reading/Show.ts"
import { apiErrorIn, type Block, decodeBlocks, type Event, failureOf, isRequest, read, textOf } from "./ClaudeStream.ts"

const systemLines = (event: Event, unknown: () => ReadonlyArray<string>): ReadonlyArray<string> => {
  switch (event.subtype) {
    case "init":
    case "commands_changed":
    case "background_tasks_changed":
    case "task_updated":
    case "task_progress":
    case "status":
    case "hook_started":
    case "hook_response":
      return []
    case "api_retry": {
      const why = [event.error_status, typeof event.error === "string" ? event.error : undefined]
      const seconds = Math.round((event.retry_delay_ms ?? 0) / 100) / 10
      return [
        `! ${why.filter((part) => part !== undefined).join(" ")}: trying again in ${seconds} s (${event.attempt ?? "?"} of ${event.max_retries ?? "?"})`
      ]
    }
    case "model_fallback":
      return [`! ${event.content ?? "switched to another model"}`]
    case "task_started":
      return [`→ in the background: ${event.description ?? "a task"}`]
    case "task_notification":
      return [`→ background task ${event.status ?? "ended"}: ${event.summary ?? event.description ?? ""}`]
    case "compact_boundary":
      return ["! the conversation was compacted"]
    default:
      return unknown()
  }
}

/** Without a kind of limit it is a rate that was exceeded, which the retries tell. */
const limitLines = ({ rate_limit_info: limit }: Event): ReadonlyArray<string> => {
  if (limit?.status !== "rejected" || (limit.rateLimitType === undefined && limit.resetsAt === undefined)) return []
  return [
    limit.isUsingOverage === true
      ? "! the usage limit is reached, and paid credits are in use"
      : "! the usage limit is reached"
  ]
}

const blockLines = (block: typeof Block.Type): ReadonlyArray<string> => {
  switch (block.type) {
    case "text":
      return block.text === undefined ? [] : lines(block.text)
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      return [toolCall(block.name, block.input)]
    case "tool_result":
      return block.is_error === true ? [toolError(textOf(block.content))] : []
    default:
      return []
  }
}

export const renderer = (): Renderer => {
  const unknown = strangers()
  let shown = ""
  let asked = false
  let desk = false
  /** What was said to the agent while it ran; the first is its prompt. */
  const saidLines = (event: Event): ReadonlyArray<string> => {
    const first = !asked
    asked = true
    return first ? [] : lines(textOf(event.message?.content)).map((line) => `> ${line}`)
  }
  const messageLines = (event: Event): ReadonlyArray<string> => {
    const blocks = decodeBlocks(event.message?.content)
    // What the user side says besides tool results is the agent talking to itself.
    const told = event.type === "user" ? blocks.filter((block) => block.type === "tool_result") : blocks
    const texts = told.filter((block) => block.type === "text").map((block) => block.text ?? "")
    // The result will say it once more.
    if (event.is_api_error_message === true || apiErrorIn(texts.join("\n")) !== null) return []
    if (texts.length > 0) shown = texts.join("\n")
    const inner = event.parent_tool_use_id === undefined ? "" : "  "
    return told.flatMap(blockLines).map((line) => `${inner}${line}`)
  }
  const resultLines = (event: Event): ReadonlyArray<string> => {
    const failure = failureOf(event, [], desk)
    const said = event.result ?? ""
    const isAnswer = event.is_error !== true && said !== "" && apiErrorIn(said) === null
    const answer = isAnswer && said.trim() !== shown.trim() ? lines(said) : []
    return failure === null ? answer : [...answer, failureLine(failure.message)]
  }
  return {
    line: (line) => {
      const event = read(line)
      switch (event?.type) {
        case "assistant":
        case "user":
          return event.isReplay === true ? saidLines(event) : messageLines(event)
        case "result":
          return resultLines(event)
        case "system":
          return systemLines(event, () => unknown(line))
        case "rate_limit_event":
          return limitLines(event)
        case "command_lifecycle":
        case "stream_event":
        case "control_request":
          desk ||= isRequest(line)
          return []
        case "control_response":
        case "tool_progress":
        case "tool_use_summary":
          return []
        default:
          return unknown(line)
      }
    },
    end: () => []
  }
}
