/** Gemini CLI: `-o stream-json`; what goes wrong is reported on stderr and in odd exit codes. */
import * as Schema from "effect/Schema"
import type { Agent, Evidence, HeldFile, Renderer, Verdict } from "../../../domain/task/Agent.ts"
import { modelUse, withoutCached } from "../../../domain/usage/ModelUse.ts"
import { google } from "../accounts/Vendors.ts"
import { flag, loose, number, reader, text } from "../reading/Printed.ts"
import { failureLine, lines, pieces, strangers, toolCall, toolError } from "../reading/Show.ts"
import { type Findings, judge } from "../reading/Verdict.ts"
import { jsonWith, textSetting } from "../starting/Held.ts"
import { configuredKey, defaults, modelOf, prefix } from "../starting/Start.ts"
import { chatter, failureOf, Problem, report, spoken } from "./GeminiFailure.ts"

const credentialVariables = [
  "GEMINI_API_KEY",
  "GOOGLE_API_KEY",
  "GOOGLE_GENAI_USE_VERTEXAI",
  "GOOGLE_GENAI_USE_GCA",
  "GOOGLE_APPLICATION_CREDENTIALS"
]

const counts = { input_tokens: number, output_tokens: number, cached: number }

const Event = Schema.Struct({
  type: Schema.String,
  session_id: text,
  role: text,
  content: text,
  delta: flag,
  tool_name: text,
  parameters: Schema.optional(Schema.Unknown),
  status: text,
  output: text,
  severity: text,
  message: text,
  error: loose(Problem),
  model: text,
  stats: loose(
    Schema.Struct({ ...counts, models: loose(Schema.Record({ key: Schema.String, value: Schema.Struct(counts) })) })
  )
})

const read = reader(Event)

const findings = (evidence: Evidence): Findings => {
  const events = evidence.stdout.map(read).filter((event) => event !== null)
  const result = events.findLast((event) => event.type === "result")
  const told = report(evidence.stderr)
  const problem =
    result?.status === "success"
      ? undefined
      : (result?.error ??
        told?.error ??
        events.findLast((event) => event.type === "error" && event.severity !== "warning"))
  // The answer is what it said after its last tool call.
  const from = events.findLastIndex((event) => event.type === "tool_use" || event.type === "tool_result")
  const answer = events
    .slice(from + 1)
    .filter((event) => event.type === "message" && event.role === "assistant")
    .map((event) => event.content ?? "")
    .join("")
  const { stats } = result ?? {}
  const model = events.find((event) => event.type === "init")?.model
  return {
    failure:
      result !== undefined && result.status !== "success" && problem === undefined
        ? { message: `ended with ${result.status ?? "an error"}` }
        : failureOf(evidence, problem),
    finished: result?.status === "success",
    answer: result?.status === "success" ? answer : null,
    sessionId: events.find((event) => event.type === "init")?.session_id ?? told?.session_id ?? null,
    usage:
      stats === undefined
        ? null
        : {
            inputTokens: stats.input_tokens ?? null,
            outputTokens: stats.output_tokens ?? null,
            cacheReadTokens: stats.cached ?? null,
            cacheWriteTokens: null,
            costUsd: null,
            cumulative: false
          },
    uses:
      stats === undefined
        ? undefined
        : Object.entries(stats.models ?? { [model ?? ""]: stats }).map(([name, use]) =>
            modelUse(name === "" ? null : name, {
              inputTokens: withoutCached(use.input_tokens, use.cached),
              outputTokens: use.output_tokens,
              cacheReadTokens: use.cached
            })
          )
  }
}

const renderer = (): Renderer => {
  const unknown = strangers()
  const open = pieces()
  return {
    line: (line) => {
      const event = read(line)
      if (event?.type === "message" && event.role === "assistant" && event.delta === true)
        return open.add(event.content ?? "")
      const before = open.flush()
      switch (event?.type) {
        case "init":
          return before
        case "message":
          return event.role === "user" ? before : [...before, ...lines(event.content ?? "")]
        case "tool_use":
          return [...before, toolCall(event.tool_name, event.parameters)]
        case "tool_result":
          return event.status === "error" ? [...before, toolError(event.error?.message ?? event.output ?? "")] : before
        case "error":
          return [...before, `! ${event.message ?? event.error?.message ?? ""}`]
        case "result":
          return event.status === "success"
            ? before
            : [...before, failureLine(spoken(event.error?.message ?? event.status ?? ""))]
        default:
          return [...before, ...unknown(line)]
      }
    },
    end: open.flush
  }
}

/** `GEMINI_CLI_HOME` stands for the home directory. */
const held = (path: string, holds: HeldFile["holds"]): HeldFile => ({
  directory: "",
  moved: "GEMINI_CLI_HOME",
  path,
  holds
})

const selected = (text: string): boolean => /"selected(?:Auth)?Type"\s*:\s*"gemini-api-key"/.test(text)

const methodSelected = {
  held: [
    held(".gemini/settings.json", selected),
    { directory: "task", path: ".gemini/settings.json", holds: selected }
  ],
  warning:
    'With a base URL, gemini needs {"security":{"auth":{"selectedType":"gemini-api-key"}}} in ~/.gemini/settings.json; otherwise it ends with "Invalid auth method selected".'
}

export const gemini: Agent = {
  name: "gemini",
  title: "Gemini CLI",
  program: "gemini",
  install: "npm install -g @google/gemini-cli@latest",
  login: "gemini (then choose a login)",
  credentialVariables,
  loginFiles: [
    held(".gemini/oauth_creds.json", jsonWith("access_token", "refresh_token")),
    // The account that is logged in, where the login itself is in the keychain.
    held(".gemini/google_accounts.json", jsonWith("active")),
    // Encrypted.
    held(".gemini/gemini-credentials.json", (text) => text.trim().length > 2),
    held(".gemini/.env", textSetting(credentialVariables)),
    held(".env", textSetting(credentialVariables))
  ],
  resumes: true,
  takesServer: false,
  // Credentials, input, configuration.
  finalExitCodes: [41, 42, 52],
  account: google,
  plan: (request) => {
    const model = modelOf(request)
    const { baseUrl } = request.settings
    return {
      launch: {
        file: request.program,
        args: [
          "--output-format",
          "stream-json",
          "--approval-mode",
          "yolo",
          "--skip-trust",
          ...(request.resume === null ? ["--session-id", request.sessionId] : ["--resume", request.resume]),
          ...(model === null ? [] : ["--model", model]),
          ...(request.settings.args ?? [])
        ],
        promptAt: [],
        stdin: "prompt",
        ...prefix(request.systemPrompt)
      },
      environment: defaults(request, {
        GEMINI_API_KEY: configuredKey(request, credentialVariables),
        GOOGLE_GEMINI_BASE_URL: baseUrl,
        GEMINI_SANDBOX: "false",
        // One process in place of two, and signals reach it.
        GEMINI_CLI_NO_RELAUNCH: "true",
        GEMINI_TELEMETRY_ENABLED: "false"
      }),
      sessionId: request.resume ?? request.sessionId,
      ...(baseUrl === undefined && (request.environment.GOOGLE_GEMINI_BASE_URL ?? "") === ""
        ? {}
        : { warningUnless: methodSelected })
    }
  },
  renderer
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict =>
  judge(
    gemini,
    evidence,
    findings(evidence),
    evidence.stderr.filter((line) => !chatter.test(line))
  )
