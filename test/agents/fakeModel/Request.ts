/** A request for an answer, in one shape for the four wire formats. */
import { field, list, string, textOf } from "./Json.ts"

export type Api = "anthropic" | "responses" | "chat" | "gemini"

export interface Message {
  readonly role: "user" | "assistant"
  readonly text: string
  /** Whether the model called tools in it. */
  readonly calls: boolean
  /** What tools answered. */
  readonly results: ReadonlyArray<string>
}

export interface Tool {
  readonly name: string
  readonly namespace: string | null
  /** A tool that takes a program as text, in place of arguments. */
  readonly custom: boolean
  readonly schema: unknown
}

export interface ModelRequest {
  readonly api: Api
  readonly model: string
  readonly stream: boolean
  readonly system: string
  readonly messages: ReadonlyArray<Message>
  readonly tools: ReadonlyArray<Tool>
}

const message = (role: unknown, text: string, calls = false, results: ReadonlyArray<string> = []): Message => ({
  role: role === "assistant" || role === "model" ? "assistant" : "user",
  text,
  calls,
  results
})

const tool = (name: unknown, schema: unknown, custom = false, namespace: string | null = null): Tool => ({
  name: string(name),
  namespace,
  custom,
  schema: schema ?? {}
})

const fromAnthropic = (body: unknown): Omit<ModelRequest, "api" | "model" | "stream"> => ({
  system: textOf(field(body, "system") ?? ""),
  messages: list(field(body, "messages")).map((each) => {
    const content = field(each, "content")
    const parts = typeof content === "string" ? [{ type: "text", text: content }] : list(content)
    const of = (type: string) => parts.filter((part) => field(part, "type") === type)
    const results = of("tool_result").map((part) => textOf(field(part, "content")))
    return message(field(each, "role"), textOf(of("text")), of("tool_use").length > 0, results)
  }),
  tools: list(field(body, "tools")).map((each) => tool(field(each, "name"), field(each, "input_schema")))
})

const fromResponses = (body: unknown): Omit<ModelRequest, "api" | "model" | "stream"> => {
  const input = field(body, "input")
  const items = typeof input === "string" ? [{ role: "user", content: input }] : list(input)
  return {
    system: string(field(body, "instructions")),
    messages: items.flatMap((item) => {
      const type = string(field(item, "type"))
      if (type.endsWith("_call_output")) return [message("user", "", false, [textOf(field(item, "output"))])]
      if (type.endsWith("_call")) return [message("assistant", "", true)]
      const role = field(item, "role")
      return role === undefined ? [] : [message(role, textOf(field(item, "content")))]
    }),
    tools: list(field(body, "tools")).flatMap((each) => {
      const own = (from: unknown, namespace: string | null) =>
        tool(
          field(from, "name") ?? field(from, "type"),
          field(from, "parameters"),
          field(from, "type") === "custom",
          namespace
        )
      return field(each, "type") === "namespace"
        ? list(field(each, "tools")).map((inner) => own(inner, string(field(each, "name"))))
        : [own(each, null)]
    })
  }
}

const isSystem = (each: unknown): boolean => ["system", "developer"].includes(string(field(each, "role")))

const fromChat = (body: unknown): Omit<ModelRequest, "api" | "model" | "stream"> => {
  const messages = list(field(body, "messages"))
  return {
    system: messages
      .filter(isSystem)
      .map((each) => textOf(field(each, "content")))
      .join("\n"),
    messages: messages
      .filter((each) => !isSystem(each))
      .map((each) => {
        const text = textOf(field(each, "content") ?? "")
        if (field(each, "role") === "tool") return message("user", "", false, [text])
        return message(field(each, "role"), text, list(field(each, "tool_calls")).length > 0)
      }),
    tools: list(field(body, "tools")).map((each) => {
      const made = field(each, "function")
      return tool(field(made, "name"), field(made, "parameters"))
    })
  }
}

const fromGemini = (body: unknown): Omit<ModelRequest, "api" | "model" | "stream"> => ({
  system: textOf(field(field(body, "systemInstruction"), "parts") ?? ""),
  messages: list(field(body, "contents")).map((each) => {
    const parts = list(field(each, "parts"))
    const with_ = (name: string) => parts.map((part) => field(part, name)).filter((found) => found !== undefined)
    const results = with_("functionResponse").map((found) => textOf(field(found, "response")))
    const texts = parts.filter((part) => typeof field(part, "text") === "string" && field(part, "thought") !== true)
    return message(field(each, "role"), textOf(texts), with_("functionCall").length > 0, results)
  }),
  tools: list(field(body, "tools")).flatMap((each) =>
    list(field(each, "functionDeclarations")).map((made) =>
      tool(field(made, "name"), field(made, "parametersJsonSchema") ?? field(made, "parameters"))
    )
  )
})

/** What is asked of a path; null for a path that asks for no answer. */
export const requestOf = (path: string, body: unknown): ModelRequest | null => {
  const model = string(field(body, "model"))
  const stream = field(body, "stream") === true
  if (/\/messages$/.test(path)) return { api: "anthropic", model, stream, ...fromAnthropic(body) }
  if (/\/responses$/.test(path)) return { api: "responses", model, stream, ...fromResponses(body) }
  if (/\/chat\/completions$/.test(path)) return { api: "chat", model, stream, ...fromChat(body) }
  const gemini = /models\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(path)
  if (gemini === null) return null
  return { api: "gemini", model: gemini[1] ?? "", stream: gemini[2] !== "generateContent", ...fromGemini(body) }
}
