/** Credentials are told from what an agent really uses: a file that is merely there is no login. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { builtInAgent } from "../../../src/layers/agents/Registry.ts"
import { anyHeld } from "../../../src/layers/agents/starting/Held.ts"

/** Writes files into a new home; whether the agent has a login there. */
const loggedIn = (name: string, files: Readonly<Record<string, unknown>>, variables: Record<string, string> = {}) => {
  const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "beat-login-"))
  try {
    for (const [file, content] of Object.entries(files)) {
      Fs.mkdirSync(Path.dirname(Path.join(home, file)), { recursive: true })
      Fs.writeFileSync(Path.join(home, file), typeof content === "string" ? content : JSON.stringify(content))
    }
    const agent = builtInAgent(name)
    if (agent === undefined) throw new Error(name)
    const moved = Object.fromEntries(Object.entries(variables).map(([key, at]) => [key, Path.join(home, at)]))
    return Effect.runSync(anyHeld(agent.loginFiles, { HOME: home, ...moved }, home))
  } finally {
    Fs.rmSync(home, { recursive: true, force: true })
  }
}

describe("a login", () => {
  const yes: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>, Record<string, string>?]> = [
    ["claude", { ".claude/.credentials.json": { claudeAiOauth: { accessToken: "t", refreshToken: "r" } } }],
    ["claude", { ".claude.json": { numStartups: 3, primaryApiKey: "sk-ant" } }],
    ["claude", { ".claude/settings.json": { apiKeyHelper: "/bin/key" } }],
    ["claude", { ".claude/settings.json": { env: { CLAUDE_CODE_USE_BEDROCK: "1" } } }],
    ["claude", { "c/.credentials.json": { claudeAiOauth: { accessToken: "t" } } }, { CLAUDE_CONFIG_DIR: "c" }],
    ["codex", { ".codex/auth.json": { OPENAI_API_KEY: "sk" } }],
    ["codex", { ".codex/auth.json": { OPENAI_API_KEY: null, tokens: { access_token: "t" } } }],
    ["codex", { "x/auth.json": { tokens: { refresh_token: "t" } } }, { CODEX_HOME: "x" }],
    ["gemini", { ".gemini/oauth_creds.json": { refresh_token: "t" } }],
    ["gemini", { ".gemini/google_accounts.json": { active: "a@b.c", old: [] } }],
    ["gemini", { ".gemini/gemini-credentials.json": "iv:tag:data" }],
    ["gemini", { ".gemini/.env": "# key\nexport GEMINI_API_KEY='k'\n" }],
    ["gemini", { "g/.gemini/oauth_creds.json": { access_token: "t" } }, { GEMINI_CLI_HOME: "g" }],
    ["opencode", { ".local/share/opencode/auth.json": { anthropic: { type: "api", key: "k" } } }],
    ["opencode", { "d/opencode/auth.json": { x: { type: "oauth", refresh: "r" } } }, { XDG_DATA_HOME: "d" }],
    ["opencode", { ".config/opencode/opencode.json": '{\n // mine\n "provider":{"f":{"options":{"apiKey":"k"}}}}' }],
    ["qwen", { ".qwen/oauth_creds.json": { access_token: "t" } }],
    ["qwen", { ".qwen/settings.json": { env: { OPENAI_API_KEY: "k" } } }],
    ["copilot", { ".copilot/config.json": { logged_in_users: [{ login: "a" }] } }],
    ["copilot", { ".config/gh/hosts.yml": "github.com:\n    user: a\n" }],
    ["pi", { ".pi/agent/auth.json": { anthropic: { type: "api_key", key: "k" } } }],
    ["pi", { ".pi/agent/models.json": { providers: { fake: { apiKey: "k" } } } }]
  ]
  for (const [agent, files, variables] of yes) {
    it(`of ${agent}: ${JSON.stringify(files)}`, () => assert.isTrue(loggedIn(agent, files, variables)))
  }

  const no: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>, Record<string, string>?]> = [
    // What every start leaves behind, and what `beat mcp install` writes.
    ["claude", { ".claude.json": { numStartups: 3, mcpServers: { backbeat: { command: "beat" } } } }],
    ["claude", { ".claude/.credentials.json": { claudeAiOauth: { accessToken: "", refreshToken: null } } }],
    ["claude", { ".claude/.credentials.json": { mcpOAuth: { x: { accessToken: "of another service" } } } }],
    ["claude", { ".claude/settings.json": { model: "opus", env: { EDITOR: "vi" } } }],
    ["claude", { ".claude/.credentials.json": '{"claudeAiOauth":{"accessTok' }],
    ["claude", { ".claude/.credentials.json": { claudeAiOauth: { accessToken: "t" } } }, { CLAUDE_CONFIG_DIR: "c" }],
    ["codex", { ".codex/config.toml": "model = 'x'", ".codex/auth.json": { OPENAI_API_KEY: null, tokens: null } }],
    ["codex", { ".codex/auth.json": { OPENAI_API_KEY: "sk" } }, { CODEX_HOME: "elsewhere" }],
    ["gemini", { ".gemini/settings.json": { security: { auth: { selectedType: "gemini-api-key" } } } }],
    ["gemini", { ".gemini/google_accounts.json": { active: null, old: ["a@b.c"] } }],
    ["gemini", { ".gemini/.env": "# GEMINI_API_KEY=k\nGEMINI_API_KEY=\n" }],
    ["opencode", { ".local/share/opencode/auth.json": {} }],
    ["qwen", { ".qwen/settings.json": { security: { auth: { selectedType: "openai" } }, privacy: {} } }],
    ["copilot", { ".copilot/config.json": { banner: "never", trusted_folders: ["/a"], logged_in_users: [] } }],
    ["copilot", { ".config/gh/hosts.yml": "" }],
    ["pi", { ".pi/agent/auth.json": {}, ".pi/agent/models.json": { providers: {} } }]
  ]
  for (const [agent, files, variables] of no) {
    it(`is not in ${JSON.stringify(files)} of ${agent}`, () => assert.isFalse(loggedIn(agent, files, variables)))
  }

  it("is nowhere without a home, and in no directory of that name", () => {
    const agent = builtInAgent("claude")
    assert.isFalse(Effect.runSync(anyHeld(agent?.loginFiles ?? [], {}, "/")))
    assert.isFalse(loggedIn("claude", { ".claude/.credentials.json/inner": "x" }))
  })
})
