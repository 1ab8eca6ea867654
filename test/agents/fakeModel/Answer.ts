/** Answers in the four wire formats: what is sent before the text, the text piece by piece, and what is sent after. */
import { randomBytes } from "node:crypto"
import type { ModelRequest } from "./Request.ts"
import type { Part, Turn } from "./Script.ts"

/** One event of a stream; without a name it is data alone. */
export interface Event {
  readonly name: string | null
  readonly data: unknown
}

export interface Answer {
  /** The whole, for a request that wants no stream. */
  readonly whole: unknown
  readonly events: ReadonlyArray<Event>
}

interface Use {
  readonly input: number
  readonly output: number
  readonly stop: string | null
}

const id = (prefix: string): string => `${prefix}${randomBytes(12).toString("hex")}`
const tokens = (text: string): number => Math.max(1, Math.ceil(text.length / 4))
const pieces = (text: string): ReadonlyArray<string> => text.match(/[\s\S]{1,24}/g) ?? [""]
const named = (name: string, data: Readonly<Record<string, unknown>>): Event => ({
  name,
  data: { type: name, ...data }
})
const data = (value: unknown): Event => ({ name: null, data: value })

const useOf = (request: ModelRequest, turn: Turn): Use => {
  const value = (name: string) => turn.how.find((each) => each.name === name)?.value
  const [input, output] = (value("USAGE") ?? "")
    .split(/[\s,]+/)
    .filter((word) => word !== "")
    .map(Number)
  const said = turn.parts.map((part) =>
    part._tag === "Call" ? (part.program ?? JSON.stringify(part.args)) : part.text
  )
  const heard = request.messages.flatMap(({ results, text }) => [text, ...results])
  return {
    input: input ?? tokens([request.system, ...heard].join("")),
    output: output ?? tokens(said.join("")),
    stop: value("STOP") ?? null
  }
}

const callsIn = (turn: Turn) => turn.parts.filter((part) => part._tag === "Call")

const anthropicBlock = (part: Part): Readonly<Record<string, unknown>> =>
  part._tag === "Call"
    ? { type: "tool_use", id: id("toolu_"), name: part.name, input: part.args }
    : part._tag === "Thought"
      ? { type: "thinking", thinking: part.text, signature: "fake" }
      : { type: "text", text: part.text }

const anthropicEvents = (part: Part, block: Readonly<Record<string, unknown>>, index: number): ReadonlyArray<Event> => {
  const delta = (change: unknown) => named("content_block_delta", { index, delta: change })
  const [empty, deltas] =
    part._tag === "Call"
      ? [
          { ...block, input: {} },
          pieces(JSON.stringify(part.args)).map((json) => delta({ type: "input_json_delta", partial_json: json }))
        ]
      : part._tag === "Thought"
        ? [
            { type: "thinking", thinking: "", signature: "" },
            [
              delta({ type: "thinking_delta", thinking: part.text }),
              delta({ type: "signature_delta", signature: "fake" })
            ]
          ]
        : [{ type: "text", text: "" }, pieces(part.text).map((text) => delta({ type: "text_delta", text }))]
  return [
    named("content_block_start", { index, content_block: empty }),
    ...deltas,
    named("content_block_stop", { index })
  ]
}

const anthropic = (request: ModelRequest, turn: Turn, use: Use): Answer => {
  const blocks = turn.parts.map(anthropicBlock)
  const stop_reason = use.stop ?? (callsIn(turn).length > 0 ? "tool_use" : "end_turn")
  const cache = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  const usage = { input_tokens: use.input, output_tokens: use.output, ...cache }
  const shared = {
    id: id("msg_"),
    type: "message",
    role: "assistant",
    model: request.model,
    stop_sequence: null,
    usage
  }
  return {
    whole: { ...shared, content: blocks, stop_reason },
    events: [
      named("message_start", { message: { ...shared, content: [], stop_reason: null } }),
      ...turn.parts.flatMap((part, index) => anthropicEvents(part, blocks[index] ?? {}, index)),
      named("message_delta", { delta: { stop_reason, stop_sequence: null }, usage }),
      named("message_stop", {})
    ]
  }
}

const responsesItem = (part: Part): Readonly<Record<string, unknown>> => {
  if (part._tag !== "Call") {
    const content = [{ type: "output_text", text: part.text, annotations: [] }]
    return { type: "message", id: id("msg_"), status: "completed", role: "assistant", content }
  }
  const shared = { status: "completed", call_id: id("call_"), name: part.name }
  const space = part.namespace === null ? {} : { namespace: part.namespace }
  return part.program === null
    ? { type: "function_call", id: id("fc_"), ...shared, arguments: JSON.stringify(part.args), ...space }
    : { type: "custom_tool_call", id: id("ctc_"), ...shared, input: part.program, ...space }
}

const responses = (request: ModelRequest, turn: Turn, use: Use): Answer => {
  const parts = turn.parts.filter((part) => part._tag !== "Thought")
  const items = parts.map(responsesItem)
  const usage = {
    input_tokens: use.input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: use.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: use.input + use.output
  }
  const open = { id: id("resp_"), object: "response", created_at: 0, model: request.model, error: null }
  const started = { ...open, status: "in_progress", output: [], incomplete_details: null, usage: null }
  const reason = use.stop === "max_tokens" ? "max_output_tokens" : use.stop
  const status = reason === null ? "completed" : "incomplete"
  const response = { ...open, status, output: items, incomplete_details: reason === null ? null : { reason }, usage }
  const ofItem = (part: Part, output_index: number): ReadonlyArray<Event> => {
    const item = items[output_index] ?? {}
    const texts = part._tag === "Text" ? pieces(part.text) : []
    const added = part._tag === "Text" ? { content: [] } : {}
    return [
      named("response.output_item.added", { output_index, item: { ...item, status: "in_progress", ...added } }),
      ...texts.map((delta) =>
        named("response.output_text.delta", { item_id: item.id, output_index, content_index: 0, delta })
      ),
      named("response.output_item.done", { output_index, item })
    ]
  }
  return {
    whole: response,
    events: [
      named("response.created", { response: started }),
      ...parts.flatMap(ofItem),
      named(`response.${status}`, { response })
    ]
  }
}

const chat = (request: ModelRequest, turn: Turn, use: Use): Answer => {
  const text = turn.parts.flatMap((part) => (part._tag === "Text" ? [part.text] : [])).join("\n")
  const calls = callsIn(turn).map((call, index) => ({
    index,
    id: id("call_"),
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.args) }
  }))
  const finish_reason = use.stop === "max_tokens" ? "length" : (use.stop ?? (calls.length > 0 ? "tool_calls" : "stop"))
  const usage = { prompt_tokens: use.input, completion_tokens: use.output, total_tokens: use.input + use.output }
  const open = { id: id("chatcmpl-"), created: 0, model: request.model }
  const piece = (delta: unknown, finish: string | null = null): Event =>
    data({ ...open, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })
  const message = {
    role: "assistant",
    content: text === "" ? null : text,
    ...(calls.length > 0 ? { tool_calls: calls } : {})
  }
  return {
    whole: { ...open, object: "chat.completion", choices: [{ index: 0, message, finish_reason }], usage },
    events: [
      piece({ role: "assistant", content: "" }),
      ...(text === "" ? [] : pieces(text).map((content) => piece({ content }))),
      ...calls.map((call) => piece({ tool_calls: [call] })),
      piece({}, finish_reason),
      data({ ...open, object: "chat.completion.chunk", choices: [], usage }),
      data("[DONE]")
    ]
  }
}

const gemini = (request: ModelRequest, turn: Turn, use: Use): Answer => {
  const usageMetadata = {
    promptTokenCount: use.input,
    candidatesTokenCount: use.output,
    totalTokenCount: use.input + use.output
  }
  const finishReason = use.stop === "max_tokens" ? "MAX_TOKENS" : (use.stop ?? "STOP")
  const made = (parts: ReadonlyArray<unknown>, last: boolean) => ({
    candidates: [{ content: { role: "model", parts }, index: 0, ...(last ? { finishReason } : {}) }],
    usageMetadata,
    modelVersion: request.model,
    responseId: id("r")
  })
  const parts = turn.parts.map((part): unknown =>
    part._tag === "Call"
      ? { functionCall: { id: id(""), name: part.name, args: part.args } }
      : { text: part.text, ...(part._tag === "Thought" ? { thought: true } : {}) }
  )
  const streamed = turn.parts.flatMap(
    (part, at): ReadonlyArray<unknown> =>
      part._tag === "Text" ? pieces(part.text).map((text) => ({ text })) : [parts[at]]
  )
  return {
    whole: made(parts, true),
    events: [...streamed.map((part) => data(made([part], false))), data(made([{ text: "" }], true))]
  }
}

const formats = { anthropic, responses, chat, gemini }

export const answerOf = (request: ModelRequest, turn: Turn): Answer =>
  formats[request.api](request, turn, useOf(request, turn))
