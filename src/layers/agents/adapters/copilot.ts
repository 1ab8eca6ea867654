/** GitHub Copilot CLI: `--output-format json`. */
import * as Schema from "effect/Schema"
import type { Agent, Evidence, Renderer, Verdict } from "../../../domain/task/Agent.ts"
import { github } from "../accounts/Vendors.ts"
import { flag, listOf, loose, number, ofTypes, reader, text } from "../reading/Printed.ts"
import { failureLine, lines, strangers, toolCall, toolError } from "../reading/Show.ts"
import { type Findings, judge } from "../reading/Verdict.ts"
import { jsonWith } from "../starting/Held.ts"
import { configuredKey, defaults, modelOf, prefix } from "../starting/Start.ts"

const credentialVariables = [
  "COPILOT_GITHUB_TOKEN",
  "GH_TOKEN",
  "GITHUB_TOKEN",
  "COPILOT_PROVIDER_API_KEY",
  "COPILOT_PROVIDER_BEARER_TOKEN"
]

const Event = Schema.Struct({
  type: Schema.String,
  ephemeral: flag,
  sessionId: text,
  exitCode: number,
  data: loose(
    Schema.Struct({
      content: text,
      message: text,
      errorType: text,
      statusCode: number,
      infoType: text,
      toolName: text,
      arguments: Schema.optional(Schema.Unknown),
      success: flag,
      error: loose(Schema.Struct({ message: text })),
      result: loose(Schema.Struct({ content: text })),
      toolRequests: listOf(Schema.Struct({ name: text }), {}),
      parentToolCallId: text,
      inputTokens: number,
      outputTokens: number,
      cacheReadTokens: number,
      cacheWriteTokens: number
    })
  )
})

const read = reader(Event)

const findings = (evidence: Evidence): Findings => {
  const types = ["result", "session.error", "assistant.message", "assistant.usage"]
  const events = ofTypes(evidence.stdout, types)
    .map(read)
    .filter((event) => event !== null)
  const result = events.findLast((event) => event.type === "result")
  const messages = events.filter(
    (event) => event.type === "assistant.message" && event.data?.parentToolCallId === undefined
  )
  const problem = events.findLast((event) => event.type === "session.error" || event.type === "assistant.message")
  const failed = problem?.type === "session.error"
  const finished = result?.exitCode === 0
  const uses = events.filter((event) => event.type === "assistant.usage").map((event) => event.data)
  const total = (pick: (use: (typeof uses)[number]) => number | undefined) =>
    uses.reduce((sum, use) => sum + (pick(use) ?? 0), 0)
  return {
    failure: failed
      ? {
          message: problem.data?.message ?? "The agent reported an error.",
          status: problem.data?.statusCode,
          codes: [problem.data?.errorType]
        }
      : null,
    finished,
    answer:
      finished && !failed
        ? (messages.findLast((event) => (event.data?.content ?? "") !== "")?.data?.content ?? null)
        : null,
    sessionId: result?.sessionId ?? null,
    usage:
      uses.length === 0
        ? null
        : {
            inputTokens: total((use) => use?.inputTokens),
            outputTokens: total((use) => use?.outputTokens),
            cacheReadTokens: total((use) => use?.cacheReadTokens),
            cacheWriteTokens: total((use) => use?.cacheWriteTokens),
            costUsd: null,
            cumulative: false
          }
  }
}

const silent =
  /^(session\.|model\.|assistant\.|user\.|tool\.|system\.|hook\.|permission\.|subagent\.|pending_messages\.|abort$)/

const renderer = (): Renderer => {
  const unknown = strangers()
  return {
    line: (line) => {
      const event = read(line)
      switch (event?.type) {
        case "assistant.message":
          return (event.data?.content ?? "") === "" ? [] : lines(event.data?.content ?? "")
        case "tool.execution_start":
          return [toolCall(event.data?.toolName, event.data?.arguments)]
        case "tool.execution_complete":
          return event.data?.success === false
            ? [toolError(event.data.error?.message ?? event.data.result?.content ?? "")]
            : []
        case "session.error":
          return [failureLine(event.data?.message ?? "")]
        case "session.info":
        case "session.warning":
          return [`! ${event.data?.message ?? ""}`]
        case "result":
          return []
        default:
          if (event !== null && event.data !== undefined && silent.test(event.type)) return []
          return unknown(line)
      }
    },
    end: () => []
  }
}

export const copilot: Agent = {
  name: "copilot",
  title: "GitHub Copilot CLI",
  program: "copilot",
  install: "npm install -g @github/copilot@latest",
  login: "copilot login",
  credentialVariables,
  loginFiles: [
    {
      directory: ".copilot",
      moved: "COPILOT_HOME",
      path: "config.json",
      holds: jsonWith(
        "copilot_tokens",
        "copilotTokens",
        "logged_in_users",
        "loggedInUsers",
        "last_logged_in_user.login"
      )
    },
    {
      directory: ".config",
      moved: "XDG_CONFIG_HOME",
      path: "github-copilot/apps.json",
      holds: jsonWith("*.oauth_token")
    },
    // Its token may be in the keyring; then only the user is named.
    {
      directory: ".config/gh",
      moved: "GH_CONFIG_DIR",
      path: "hosts.yml",
      holds: (text) => /^[^\S\n]+(?:oauth_token|user):\s*\S/m.test(text)
    }
  ],
  resumes: true,
  takesServer: false,
  account: github,
  plan: (request) => {
    const model = modelOf(request)
    const { baseUrl } = request.settings
    const own = baseUrl !== undefined || (request.environment.COPILOT_PROVIDER_BASE_URL ?? "") !== ""
    const key = own
      ? configuredKey(request, ["COPILOT_PROVIDER_API_KEY", "COPILOT_PROVIDER_BEARER_TOKEN"])
      : configuredKey(request, credentialVariables)
    return {
      launch: {
        file: request.program,
        args: [
          "--output-format",
          "json",
          "--allow-all",
          ...(request.resume === null ? ["--session-id", request.sessionId] : ["--resume", request.resume]),
          ...(model === null ? [] : ["--model", model]),
          ...(request.settings.args ?? [])
        ],
        promptAt: [],
        stdin: "prompt",
        ...prefix(request.systemPrompt)
      },
      environment: defaults(request, {
        COPILOT_AUTO_UPDATE: "false",
        ...(own
          ? {
              COPILOT_PROVIDER_BASE_URL: baseUrl,
              COPILOT_PROVIDER_API_KEY: key,
              COPILOT_MODEL: model ?? undefined,
              // A model of one's own needs no login at GitHub.
              COPILOT_OFFLINE: "true"
            }
          : { COPILOT_GITHUB_TOKEN: key })
      }),
      sessionId: request.resume ?? request.sessionId
    }
  },
  renderer
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict => judge(copilot, evidence, findings(evidence))
