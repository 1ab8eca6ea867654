/**
 * Variables that decide where an agent sends its requests, and with them its key: its server, the proxies on the way, the
 * certificates it trusts, the directory of its set-up and login, and code that its program loads first.
 */
import type { Environment } from "./NewTask.ts"

/** What a variable decides, after "the variable decides". */
type RouteKind = "which server" | "which proxy" | "which certificates" | "which set-up" | "what its program loads"

/** Who serves models, and the programs that ask them. A name such as DB_HOST is the project's, and stays. */
const vendors =
  "ANTHROPIC|CLAUDE|CODEX|OPENAI|GEMINI|GOOGLE|VERTEX|QWEN|DASHSCOPE|OPENCODE|COPILOT|GITHUB|GH|PI|AZURE|AWS|BEDROCK|OLLAMA|" +
  "OPENROUTER|GROQ|XAI|MISTRAL|DEEPSEEK|ZAI|MOONSHOT|KIMI|LITELLM|LM_STUDIO|OTEL"

const places = "BASE_?URL|API_?BASE|API_?URL|API_?HOST|HOST|URL|ENDPOINT|SERVER"

/**
 * By kind and not by agent, so that next year's agents have the same bounds. A switch to a cloud (CLAUDE_CODE_USE_BEDROCK,
 * GOOGLE_GENAI_USE_VERTEXAI) is another server; AWS_PROFILE names one in a file.
 */
const kinds: ReadonlyArray<readonly [RouteKind, RegExp]> = [
  ["which proxy", /^(HTTPS?|ALL|NO|FTP|SOCKS)_PROXY$|^GLOBAL_AGENT_/i],
  [
    "which certificates",
    /^(SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_TLS_REJECT_UNAUTHORIZED|NODE_EXTRA_CA_CERTS)$|_CA_(CERTS?|CERTIFICATE|BUNDLE)$/
  ],
  [
    "which server",
    new RegExp(
      `^(${vendors})_([A-Z0-9_]+_)?(${places})(_[A-Z0-9]+)*$|_API_BASE(_URL)?$|^(${vendors})_([A-Z0-9_]+_)?USE_[A-Z_]+$|` +
        "^(ANTHROPIC_FOUNDRY_RESOURCE|AZURE(_[A-Z]+)*_RESOURCE(_NAME)?|AWS_PROFILE|ANTHROPIC_CUSTOM_HEADERS)$"
    )
  ],
  [
    "which set-up",
    new RegExp(
      "^(HOME|XDG_(CONFIG|DATA)_(HOME|DIRS)|AWS_(CONFIG|SHARED_CREDENTIALS)_FILE|GOOGLE_APPLICATION_CREDENTIALS|CLOUDSDK_CONFIG)$|" +
        `^(${vendors})_([A-Z0-9_]+_)?(HOME|DIR|CONFIG|CONFIG_CONTENT|SETTINGS|SETTINGS_PATH|SETTINGS_FILE)$`
    )
  ],
  [
    "what its program loads",
    /^(LD_(PRELOAD|AUDIT)|DYLD_INSERT_LIBRARIES|NODE_OPTIONS|BUN_OPTIONS|BASH_ENV|PYTHONSTARTUP)$/
  ]
]

/** What a variable decides about an agent's requests; null: nothing. */
export const routeOf = (name: string): RouteKind | null => kinds.find(([, names]) => names.test(name))?.[0] ?? null

const routesIn = (environment: Environment): ReadonlyArray<string> =>
  Object.keys(environment).filter((name) => routeOf(name) !== null)

/** Names of `given` that would send requests elsewhere than in `above`. */
export const redirections = (given: Environment, above: Environment): ReadonlyArray<string> =>
  routesIn(given).filter((name) => given[name] !== above[name])

/** An environment with the routes of `above`, and the names that it had otherwise. */
export const withRoutesOf = (
  environment: Environment,
  above: Environment
): { readonly environment: Environment; readonly replaced: ReadonlyArray<string> } => {
  const own = new Set(routesIn(environment))
  const rest = Object.fromEntries(Object.entries(environment).filter(([name]) => !own.has(name)))
  const routes = Object.fromEntries(Object.entries(above).filter(([name]) => routeOf(name) !== null))
  return { environment: { ...rest, ...routes }, replaced: redirections(environment, above) }
}
