/** pi: `pi -p --mode json`, which leaves with exit code 0 whatever happened. */
import * as Schema from "effect/Schema"
import type { Agent, Evidence, Renderer, Verdict } from "../../../domain/task/Agent.ts"
import type { Usage } from "../../../domain/task/Task.ts"
import { type ModelUse, useOf } from "../../../domain/usage/ModelUse.ts"
import { byProvider } from "../accounts/Vendors.ts"
import { flag, listOf, loose, number, ofTypes, reader, text } from "../reading/Printed.ts"
import { failureLine, lines, pieces, strangers, toolCall, toolError } from "../reading/Show.ts"
import { type Findings, judge } from "../reading/Verdict.ts"
import { jsonWith } from "../starting/Held.ts"
import { asArgument, configuredKey, defaults, modelOf, prefix } from "../starting/Start.ts"

const credentialVariables = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_OAUTH_TOKEN",
  "OPENAI_API_KEY",
  "GEMINI_API_KEY",
  "OPENROUTER_API_KEY",
  "GROQ_API_KEY",
  "XAI_API_KEY",
  "MISTRAL_API_KEY",
  "DEEPSEEK_API_KEY",
  "ZAI_API_KEY"
]

const Block = Schema.Struct({ type: text, text })

const Event = Schema.Struct({
  type: Schema.String,
  id: text,
  message: loose(
    Schema.Struct({
      role: text,
      model: text,
      content: listOf(Block, {}),
      stopReason: text,
      errorMessage: text,
      usage: loose(
        Schema.Struct({
          input: number,
          output: number,
          cacheRead: number,
          cacheWrite: number,
          cost: loose(Schema.Struct({ total: number }))
        })
      )
    })
  ),
  assistantMessageEvent: loose(Schema.Struct({ type: text, delta: text })),
  toolName: text,
  args: Schema.optional(Schema.Unknown),
  isError: flag,
  result: loose(Schema.Struct({ content: listOf(Block, {}) })),
  attempt: number,
  maxAttempts: number,
  delayMs: number,
  errorMessage: text
})
type Event = typeof Event.Type

const read = reader(Event)

const textOf = (blocks: ReadonlyArray<typeof Block.Type> | undefined): string =>
  (blocks ?? [])
    .filter((block) => block.type === "text")
    .map((block) => block.text ?? "")
    .join("\n")

const usageOf = (messages: ReadonlyArray<Event>): Usage | null => {
  const uses = messages.map((event) => event.message?.usage).filter((use) => use !== undefined)
  if (uses.length === 0) return null
  const total = (pick: (use: (typeof uses)[number]) => number | undefined) =>
    uses.reduce((sum, use) => sum + (pick(use) ?? 0), 0)
  return {
    inputTokens: total((use) => use.input),
    outputTokens: total((use) => use.output),
    cacheReadTokens: total((use) => use.cacheRead),
    cacheWriteTokens: total((use) => use.cacheWrite),
    costUsd: total((use) => use.cost?.total),
    cumulative: false
  }
}

/** What a line says that one answer has used. */
export const messageUse = (line: string): ModelUse | null => {
  if (!line.startsWith('{"type":"message_end"')) return null
  const event = read(line)
  if (event?.message?.role !== "assistant") return null
  const usage = usageOf([event])
  return usage === null ? null : { ...useOf(usage), model: event.message.model ?? null }
}

const findings = (evidence: Evidence): Findings => {
  const events = ofTypes(evidence.stdout, ["session", "message_end", "agent_end"])
    .map(read)
    .filter((event) => event !== null)
  const replies = events.filter((event) => event.type === "message_end" && event.message?.role === "assistant")
  const last = replies.at(-1)?.message
  const reason = last?.stopReason
  const usage = usageOf(replies)
  const failed = reason !== undefined && reason !== "stop" && reason !== "toolUse"
  return {
    failure: failed ? { message: last?.errorMessage ?? `The model stopped before it was done (${reason}).` } : null,
    finished: reason === "stop" && events.some((event) => event.type === "agent_end"),
    answer: reason === "stop" ? textOf(last?.content) : null,
    sessionId: events.find((event) => event.type === "session")?.id ?? null,
    usage,
    uses: usage === null ? undefined : [{ ...useOf(usage), model: last?.model ?? null }]
  }
}

const renderer = (): Renderer => {
  const unknown = strangers()
  const open = pieces()
  let streamed = false
  /** The end of a message: its text came in pieces already, or comes now. */
  const ended = (event: Event): ReadonlyArray<string> => {
    const before = open.flush()
    const { message } = event
    const whole = streamed ? "" : textOf(message?.content)
    streamed = false
    if (message?.role !== "assistant") return before
    const failure = message.stopReason === "error" || message.stopReason === "aborted"
    return [
      ...before,
      ...(whole === "" ? [] : lines(whole)),
      ...(failure ? [failureLine(message.errorMessage ?? message.stopReason ?? "")] : [])
    ]
  }
  return {
    line: (line) => {
      const event = read(line)
      switch (event?.type) {
        case "message_update": {
          const { assistantMessageEvent: update } = event
          if (update?.type === "text_end") return open.flush()
          if (update?.type !== "text_delta") return []
          streamed = true
          return open.add(update.delta ?? "")
        }
        case "message_end":
          return ended(event)
        case "tool_execution_start":
          return [...open.flush(), toolCall(event.toolName, event.args)]
        case "tool_execution_end":
          return event.isError === true ? [toolError(textOf(event.result?.content))] : []
        case "auto_retry_start":
          return [
            `! trying again (${event.attempt ?? "?"} of ${event.maxAttempts ?? "?"}): ${event.errorMessage ?? ""}`
          ]
        case "session":
        case "agent_start":
        case "agent_end":
        case "turn_start":
        case "turn_end":
        case "message_start":
        case "tool_execution_update":
        case "auto_retry_end":
        case "queue_update":
        case "compaction_start":
        case "compaction_end":
          return []
        default:
          return line.trim().length === 0 ? [] : [...open.flush(), ...unknown(line)]
      }
    },
    end: open.flush
  }
}

/** The variable in which pi looks for the key of a provider. */
const keyVariable = (model: string | null): string => {
  const provider = model?.includes("/") === true ? (model.split("/")[0] ?? "") : "anthropic"
  return provider === "google" ? "GEMINI_API_KEY" : `${provider.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_API_KEY`
}

export const pi: Agent = {
  name: "pi",
  title: "pi",
  program: "pi",
  install: "npm install -g @mariozechner/pi-coding-agent@latest",
  login: "pi (then /login)",
  credentialVariables,
  loginFiles: [
    {
      directory: ".pi/agent",
      moved: "PI_CODING_AGENT_DIR",
      path: "auth.json",
      holds: jsonWith("*.key", "*.access", "*.refresh")
    },
    {
      directory: ".pi/agent",
      moved: "PI_CODING_AGENT_DIR",
      path: "models.json",
      holds: jsonWith("providers.*.apiKey")
    }
  ],
  resumes: true,
  account: byProvider,
  plan: (request) => {
    const model = modelOf(request)
    const system = asArgument(request.systemPrompt)
    const variable = keyVariable(model)
    return {
      launch: {
        file: request.program,
        args: [
          "-p",
          "--mode",
          "json",
          ...(model === null ? [] : ["--model", model]),
          ...(system === null ? [] : ["--append-system-prompt", system]),
          ...(request.resume === null ? [] : ["--session", request.resume]),
          ...(request.settings.args ?? [])
        ],
        promptAt: [],
        stdin: "prompt",
        ...(system === null ? prefix(request.systemPrompt) : {})
      },
      environment: defaults(request, {
        [variable]: configuredKey(request, [variable]),
        PI_OFFLINE: "1",
        PI_TELEMETRY: "0"
      }),
      sessionId: request.resume,
      warnings:
        request.settings.baseUrl === undefined
          ? []
          : ["pi takes no base URL from its caller: put it into ~/.pi/agent/models.json."]
    }
  },
  renderer
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict => judge(pi, evidence, findings(evidence))
