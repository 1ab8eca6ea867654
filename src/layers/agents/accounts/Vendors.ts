/** Whose account an agent uses, by vendor: from its variables, its settings and the files of its login. */
import * as Redacted from "effect/Redacted"
import type { AccountIdentity } from "../../../domain/limits/Account.ts"
import type { AccountFile, AccountRequest } from "../../../domain/task/Agent.ts"
import { byPlace, otherHost, switched, textAt, variable } from "./Identity.ts"

const claudeFile: AccountFile = { directory: "", moved: "CLAUDE_CONFIG_DIR", path: ".claude.json" }
const codexFile: AccountFile = { directory: ".codex", moved: "CODEX_HOME", path: "auth.json" }
const googleFile: AccountFile = { directory: "", moved: "GEMINI_CLI_HOME", path: ".gemini/google_accounts.json" }
const opencodeFile: AccountFile = { directory: ".local/share", moved: "XDG_DATA_HOME", path: "opencode/auth.json" }

const clouds = [
  [
    "CLAUDE_CODE_USE_BEDROCK",
    "bedrock",
    ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION"]
  ],
  ["CLAUDE_CODE_USE_VERTEX", "vertex", ["ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION"]],
  ["CLAUDE_CODE_USE_FOUNDRY", "foundry", ["ANTHROPIC_FOUNDRY_RESOURCE", "ANTHROPIC_FOUNDRY_API_KEY"]]
] as const

const anthropicKey = (identity: string): AccountIdentity => ({ vendor: "anthropic", kind: "key", identity })

/** Claude Code: in the order in which it looks for credentials. */
export const anthropic = (request: AccountRequest): AccountIdentity => {
  const { environment, read, settings } = request
  const token = variable(environment, "ANTHROPIC_AUTH_TOKEN")
  const key = variable(environment, "ANTHROPIC_API_KEY")
  const url = variable(environment, "ANTHROPIC_BASE_URL") ?? settings.baseUrl ?? null
  const host = otherHost(url, /(^|\.)anthropic\.com$/, token ?? key)
  if (host !== null) return host
  const cloud = clouds.find(([name]) => switched(environment, name))
  if (cloud !== undefined) {
    const [, kind, names] = cloud
    return { vendor: "cloud", kind, identity: names.map((name) => environment[name] ?? "").join("\0") }
  }
  if (token !== null) return { vendor: "anthropic", kind: "token", identity: token }
  if (key !== null) return anthropicKey(key)
  const oauth = variable(environment, "CLAUDE_CODE_OAUTH_TOKEN")
  if (oauth !== null) return { vendor: "anthropic", kind: "token", identity: oauth }
  const state = read(claudeFile)
  const login = textAt(state, "accountUuid")
  if (login === null) return byPlace("anthropic", request, "CLAUDE_CONFIG_DIR")
  return { vendor: "anthropic", kind: "login", identity: `${login}\0${textAt(state, "organizationUuid") ?? ""}` }
}

/** Codex. It ignores OPENAI_BASE_URL: a base URL comes from the settings alone. */
export const openai = (request: AccountRequest): AccountIdentity => {
  const { environment, read, settings } = request
  const key = variable(environment, "CODEX_API_KEY")
  const token = variable(environment, "CODEX_ACCESS_TOKEN")
  const host = otherHost(settings.baseUrl ?? null, /(^|\.)(openai|chatgpt)\.com$/, key ?? token)
  if (host !== null) return host
  if (key !== null) return { vendor: "openai", kind: "key", identity: key }
  if (token !== null) return { vendor: "openai", kind: "token", identity: token }
  const login = read(codexFile)
  const account = textAt(login, "account_id")
  if (account !== null) return { vendor: "openai", kind: "login", identity: account }
  const stored = textAt(login, "OPENAI_API_KEY")
  if (stored !== null) return { vendor: "openai", kind: "key", identity: stored }
  return byPlace("openai", request, "CODEX_HOME")
}

/** Gemini CLI. */
export const google = (request: AccountRequest): AccountIdentity => {
  const { environment, read, settings } = request
  const key = variable(environment, "GEMINI_API_KEY", "GOOGLE_API_KEY")
  const url = variable(environment, "GOOGLE_GEMINI_BASE_URL") ?? settings.baseUrl ?? null
  const host = otherHost(url, /(^|\.)googleapis\.com$/, key)
  if (host !== null) return host
  const project = variable(environment, "GOOGLE_CLOUD_PROJECT")
  if (switched(environment, "GOOGLE_GENAI_USE_VERTEXAI")) {
    return { vendor: "cloud", kind: "vertex", identity: project ?? key ?? "" }
  }
  if (key !== null) return { vendor: "google", kind: "key", identity: key }
  const login = textAt(read(googleFile), "active")
  if (login !== null) return { vendor: "google", kind: "login", identity: login }
  return byPlace("google", request, "GEMINI_CLI_HOME")
}

/** GitHub Copilot CLI. */
export const github = (request: AccountRequest): AccountIdentity => {
  const token = variable(request.environment, "COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
  return token === null
    ? byPlace("github", request, "XDG_CONFIG_HOME")
    : { vendor: "github", kind: "token", identity: token }
}

/** Qwen Code: any server that speaks OpenAI's protocol, else its own login. */
export const qwenLogin = (request: AccountRequest): AccountIdentity => {
  const { environment, settings } = request
  const key = variable(environment, "OPENAI_API_KEY", "DASHSCOPE_API_KEY", "BAILIAN_CODING_PLAN_API_KEY")
  const url = variable(environment, "OPENAI_BASE_URL") ?? settings.baseUrl ?? null
  const host = otherHost(url, /(^|\.)openai\.com$/, key)
  if (host !== null) return host
  return key === null ? byPlace("qwen", request, "HOME") : { vendor: "openai", kind: "key", identity: key }
}

/** The providers, and where the key of each is looked for. */
const providers: Readonly<Record<string, readonly [vendor: string, ...names: ReadonlyArray<string>]>> = {
  anthropic: ["anthropic", "ANTHROPIC_API_KEY"],
  openai: ["openai", "OPENAI_API_KEY"],
  google: ["google", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
  gemini: ["google", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
  "github-copilot": ["github", "GITHUB_TOKEN"],
  openrouter: ["openrouter", "OPENROUTER_API_KEY"],
  opencode: ["opencode", "OPENCODE_API_KEY"],
  groq: ["groq", "GROQ_API_KEY"],
  xai: ["xai", "XAI_API_KEY"],
  mistral: ["mistral", "MISTRAL_API_KEY"],
  deepseek: ["deepseek", "DEEPSEEK_API_KEY"],
  zai: ["zai", "ZAI_API_KEY"]
}

/** OpenCode and pi: the provider that the model's name begins with, and its key. */
export const byProvider = (request: AccountRequest): AccountIdentity => {
  const { environment, model, read, settings } = request
  const [named = ""] = (model ?? "").toLowerCase().split("/")
  const provider = model?.includes("/") === true ? named : ""
  const known = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  const anyKey = Object.values(providers).find(([, ...names]) => variable(environment, ...names) !== null)
  const [vendor, ...names] = known ?? (provider === "" ? anyKey : undefined) ?? [provider === "" ? "other" : provider]
  const key =
    variable(environment, ...names) ?? (settings.apiKey === undefined ? null : Redacted.value(settings.apiKey))
  const host = otherHost(settings.baseUrl ?? null, /(^|\.)(anthropic|openai|googleapis)\.com$/, key)
  if (host !== null) return host
  if (key !== null) return { vendor, kind: "key", identity: key }
  const logins = read(opencodeFile)
  const entry =
    logins === null
      ? null
      : (new RegExp(`"${vendor.replace(/\W/g, ".")}"\\s*:\\s*(\\{[^{}]*\\})`).exec(logins)?.[1] ?? null)
  const stored = textAt(entry, "key")
  return stored === null ? byPlace(vendor, request, "XDG_DATA_HOME") : { vendor, kind: "key", identity: stored }
}
