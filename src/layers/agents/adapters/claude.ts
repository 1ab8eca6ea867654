/** Claude Code: `claude -p` with its stream-json output. */
import type { Agent, Evidence, HeldFile, PlanRequest, Verdict } from "../../../domain/task/Agent.ts"
import { anthropic } from "../accounts/Vendors.ts"
import { judge } from "../reading/Verdict.ts"
import { jsonWith } from "../starting/Held.ts"
import { asArgument, configuredKey, defaults, modelOf, prefix, retriesOf } from "../starting/Start.ts"
import { renderer } from "./ClaudeShown.ts"
import { findings } from "./ClaudeStream.ts"

const credentialVariables = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY"
]

const held = (directory: string, path: string, holds: HeldFile["holds"]): HeldFile => ({
  directory,
  moved: "CLAUDE_CONFIG_DIR",
  path,
  holds
})

/** In addition to the servers that its user has set up. */
const serverArgs = (server: PlanRequest["server"]): ReadonlyArray<string> =>
  server === null ? [] : ["--mcp-config", JSON.stringify({ mcpServers: { backbeat: { type: "stdio", ...server } } })]

export const claude: Agent = {
  name: "claude",
  title: "Claude Code",
  program: "claude",
  install: "npm install -g @anthropic-ai/claude-code@latest",
  login: "claude auth login",
  credentialVariables,
  loginFiles: [
    held(".claude", ".credentials.json", jsonWith("claudeAiOauth.accessToken", "claudeAiOauth.refreshToken")),
    held(".claude", "settings.json", jsonWith("apiKeyHelper", ...credentialVariables.map((name) => `env.${name}`))),
    // Every Claude that was ever started has this one. On macOS the login itself is in the keychain.
    held("", ".claude.json", jsonWith("primaryApiKey", ...(process.platform === "darwin" ? ["oauthAccount"] : [])))
  ],
  resumes: true,
  takesServer: true,
  asks: true,
  account: anthropic,
  plan: (request) => {
    const model = modelOf(request)
    const system = asArgument(request.systemPrompt)
    const retries = retriesOf(request, 2)
    return {
      launch: {
        file: request.program,
        args: [
          "-p",
          "--output-format",
          "stream-json",
          "--verbose",
          // Questions are asked over stdin also where no permission is.
          ...(request.asks === null ? [] : ["--permission-prompt-tool", "stdio"]),
          ...(request.asks === "permissions" ? ["--permission-mode", "default"] : ["--dangerously-skip-permissions"]),
          // With replays it confirms each message by its id.
          ...(request.steer ? ["--input-format", "stream-json", "--replay-user-messages"] : []),
          ...(request.resume === null ? ["--session-id", request.sessionId] : ["--resume", request.resume]),
          ...(model === null ? [] : ["--model", model]),
          ...(system === null ? [] : ["--append-system-prompt", system]),
          ...serverArgs(request.server),
          ...(request.settings.args ?? [])
        ],
        promptAt: [],
        stdin: request.steer ? "stream-json" : "prompt",
        ...(system === null ? prefix(request.systemPrompt) : {})
      },
      environment: {
        // With it a limit is waited for inside of the process, which holds a place for hours and prints nothing.
        CLAUDE_CODE_RETRY_WATCHDOG: null,
        ...defaults(request, {
          ANTHROPIC_API_KEY: configuredKey(request, credentialVariables),
          ANTHROPIC_BASE_URL: request.settings.baseUrl,
          // Headers of features in trial are refused by many servers that only speak the same protocol.
          CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: request.settings.baseUrl === undefined ? undefined : "1",
          CLAUDE_CODE_MAX_RETRIES: retries === null ? undefined : String(retries),
          // A command in the background would hold the process for up to 10 minutes after the answer.
          CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
          // As the super-user it refuses to run without permission prompts unless this variable says that it is intended.
          IS_SANDBOX: request.root ? "1" : undefined
        })
      },
      sessionId: request.resume ?? request.sessionId
    }
  },
  renderer
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict => {
  const found = findings(evidence)
  // Without a login it says so on stdout and prints no event.
  const spoken = evidence.stdout.filter((line) => !line.startsWith("{"))
  return judge(claude, evidence, found, [...spoken, ...evidence.stderr])
}
