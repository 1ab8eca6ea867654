/** OpenCode: `opencode run --format json`. */
import * as Schema from "effect/Schema"
import type { Agent, Evidence, PlanRequest, Renderer, Verdict } from "../../../domain/task/Agent.ts"
import type { Usage } from "../../../domain/task/Task.ts"
import { type ModelUse, useOf } from "../../../domain/usage/ModelUse.ts"
import { byProvider } from "../accounts/Vendors.ts"
import { loose, number, reader, text } from "../reading/Printed.ts"
import { failureLine, lines, strangers, toolCall, toolError } from "../reading/Show.ts"
import { type Findings, judge } from "../reading/Verdict.ts"
import { jsonWith } from "../starting/Held.ts"
import { configuredKey, defaults, modelOf, prefix } from "../starting/Start.ts"

const credentialVariables = [
  "ANTHROPIC_API_KEY",
  "OPENAI_API_KEY",
  "OPENROUTER_API_KEY",
  "GEMINI_API_KEY",
  "GOOGLE_GENERATIVE_AI_API_KEY",
  "OPENCODE_API_KEY",
  "GITHUB_TOKEN",
  "GROQ_API_KEY",
  "DEEPSEEK_API_KEY",
  "XAI_API_KEY",
  "MISTRAL_API_KEY"
]

const Event = Schema.Struct({
  type: Schema.String,
  sessionID: text,
  error: loose(
    Schema.Struct({
      name: text,
      message: text,
      data: loose(Schema.Struct({ message: text, statusCode: number, responseBody: text }))
    })
  ),
  part: loose(
    Schema.Struct({
      messageID: text,
      text,
      tool: text,
      reason: text,
      state: loose(Schema.Struct({ status: text, input: Schema.optional(Schema.Unknown), title: text, error: text })),
      cost: number,
      tokens: loose(
        Schema.Struct({
          input: number,
          output: number,
          cache: loose(Schema.Struct({ read: number, write: number }))
        })
      )
    })
  )
})
type Event = typeof Event.Type

const read = reader(Event)

const errorText = (event: Event): string =>
  event.error?.data?.message ?? event.error?.message ?? event.error?.name ?? "The agent reported an error."

const usageOf = (steps: ReadonlyArray<Event>): Usage | null => {
  if (steps.length === 0) return null
  const total = (pick: (step: Event) => number | undefined) => steps.reduce((sum, step) => sum + (pick(step) ?? 0), 0)
  return {
    inputTokens: total((step) => step.part?.tokens?.input),
    outputTokens: total((step) => step.part?.tokens?.output),
    cacheReadTokens: total((step) => step.part?.tokens?.cache?.read),
    cacheWriteTokens: total((step) => step.part?.tokens?.cache?.write),
    costUsd: total((step) => step.part?.cost),
    cumulative: false
  }
}

/** A request that failed, as in its log: it retries without a limit and says so nowhere else. */
export const loggedFailure = (line: string): { readonly message: string; readonly sessionId: string | null } | null => {
  const start = line.search(/\bmessage="stream error"/)
  const message = start < 0 ? undefined : /\berror\.error="((?:[^"\\]|\\.)*)"/.exec(line.slice(start))?.[1]
  if (message === undefined) return null
  return { message: message.replace(/\\"/g, '"'), sessionId: /\bsession\.id=(\w+)/.exec(line)?.[1] ?? null }
}

/** What a line says that one step has used. */
export const stepUse = (line: string): ModelUse | null => {
  if (!line.startsWith('{"type":"step_finish"')) return null
  const event = read(line)
  const usage = event === null ? null : usageOf([event])
  return usage === null ? null : useOf(usage)
}

const findings = (evidence: Evidence): Findings => {
  const events = evidence.stdout.map(read).filter((event) => event !== null)
  const steps = events.filter((event) => event.type === "step_finish")
  const last = events.findLast((event) => event.type === "step_finish" || event.type === "error")
  const reason = last?.part?.reason
  const finished = last?.type === "step_finish" && reason !== "tool-calls"
  const answer = events
    .filter((event) => event.type === "text" && event.part?.messageID === last?.part?.messageID)
    .map((event) => event.part?.text ?? "")
    .join("\n")
  const logged = evidence.stderr.map(loggedFailure).findLast((found) => found !== null) ?? null
  const failure =
    last?.type === "error"
      ? {
          message: errorText(last),
          status: last.error?.data?.statusCode,
          codes: [last.error?.name],
          details: last.error?.data?.responseBody
        }
      : finished && reason !== undefined && !["stop", "end_turn", "unknown"].includes(reason)
        ? { message: `The model stopped before it was done (${reason}).` }
        : !finished && logged !== null
          ? { message: logged.message }
          : null
  return {
    failure,
    finished,
    answer: finished && failure === null ? answer : null,
    sessionId: events.find((event) => event.sessionID !== undefined)?.sessionID ?? logged?.sessionId ?? null,
    usage: usageOf(steps)
  }
}

const renderer = (): Renderer => {
  const unknown = strangers()
  return {
    line: (line) => {
      const event = read(line)
      switch (event?.type) {
        case "step_start":
        case "step_finish":
        case "reasoning":
          return []
        case "text":
          return lines(event.part?.text ?? "")
        case "tool_use": {
          const call = toolCall(event.part?.tool, event.part?.state?.input)
          return event.part?.state?.status === "error" ? [call, toolError(event.part.state.error ?? "")] : [call]
        }
        case "error":
          return [failureLine(errorText(event))]
        default:
          return unknown(line)
      }
    },
    end: () => []
  }
}

/** Providers whose protocol OpenCode knows without a setting. */
const builtIn = [
  "anthropic",
  "openai",
  "google",
  "openrouter",
  "opencode",
  "groq",
  "xai",
  "mistral",
  "deepseek",
  "github-copilot"
]

/** Key, address and permissions go by a configuration in the environment: not on disk, not in `ps`. */
const configuration = (request: PlanRequest, key: string | undefined): string => {
  const { baseUrl } = request.settings
  const model = modelOf(request)
  const [provider = "anthropic", ...rest] = (model ?? "").split("/").filter((part) => part.length > 0)
  const id = rest.join("/")
  const own = baseUrl !== undefined && !builtIn.includes(provider)
  const options = {
    ...(key === undefined ? {} : { apiKey: key }),
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl })
  }
  return JSON.stringify({
    autoupdate: false,
    share: "disabled",
    permission: "allow",
    ...(Object.keys(options).length === 0
      ? {}
      : {
          provider: {
            [provider]: {
              ...(own
                ? { npm: "@ai-sdk/openai-compatible", name: provider, models: id === "" ? {} : { [id]: {} } }
                : {}),
              options
            }
          }
        }),
    // Its titles come from a small model, which a server of one's own does not have.
    ...(own && model !== null ? { small_model: model } : {})
  })
}

export const opencode: Agent = {
  name: "opencode",
  title: "OpenCode",
  program: "opencode",
  install: "npm install -g opencode-ai@latest",
  login: "opencode auth login",
  credentialVariables,
  loginFiles: [
    {
      directory: ".local/share",
      moved: "XDG_DATA_HOME",
      path: "opencode/auth.json",
      holds: jsonWith("*.key", "*.access", "*.refresh", "*.token")
    },
    {
      directory: ".config",
      moved: "XDG_CONFIG_HOME",
      path: "opencode/opencode.json",
      holds: jsonWith("provider.*.options.apiKey")
    }
  ],
  resumes: true,
  takesServer: false,
  account: byProvider,
  plan: (request) => {
    const model = modelOf(request)
    return {
      launch: {
        file: request.program,
        args: [
          "run",
          "--format",
          "json",
          // Otherwise it prints nothing at all while it waits for a limit to end, however long that takes.
          "--print-logs",
          "--log-level",
          "ERROR",
          ...(model === null ? [] : ["--model", model]),
          ...(request.resume === null ? [] : ["--session", request.resume]),
          ...(request.settings.args ?? [])
        ],
        promptAt: [],
        stdin: "prompt",
        ...prefix(request.systemPrompt)
      },
      environment: defaults(request, {
        OPENCODE_CONFIG_CONTENT: configuration(request, configuredKey(request, credentialVariables)),
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1"
      }),
      sessionId: request.resume
    }
  },
  renderer
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict => judge(opencode, evidence, findings(evidence))
