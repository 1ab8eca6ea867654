/** Which variables decide where the requests of an agent go, by kind, and which only look like them. */
import { assert, describe, it } from "vitest"
import { redirections, routeOf, withRoutesOf } from "../../../src/domain/task/Routes.ts"

const routes: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  [
    "which server",
    [
      "ANTHROPIC_BASE_URL",
      "ANTHROPIC_BEDROCK_BASE_URL",
      "OPENAI_BASE_URL",
      "OPENAI_API_BASE",
      "OLLAMA_API_BASE",
      "MINE_API_BASE",
      "GOOGLE_GEMINI_BASE_URL",
      "GOOGLE_VERTEX_BASE_URL",
      "CODE_ASSIST_API_BASE",
      "AZURE_OPENAI_ENDPOINT",
      "AZURE_OPENAI_RESOURCE_NAME",
      "AWS_ENDPOINT_URL",
      "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
      "OLLAMA_HOST",
      "GH_HOST",
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "CLAUDE_CODE_USE_BEDROCK",
      "CLAUDE_CODE_USE_VERTEX",
      "GOOGLE_GENAI_USE_VERTEXAI",
      "ANTHROPIC_FOUNDRY_RESOURCE",
      "AWS_PROFILE"
    ]
  ],
  ["which proxy", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "GLOBAL_AGENT_HTTP_PROXY"]],
  [
    "which certificates",
    ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "NODE_TLS_REJECT_UNAUTHORIZED", "CODEX_CA_CERTIFICATE"]
  ],
  [
    "which set-up",
    [
      "HOME",
      "XDG_CONFIG_HOME",
      "XDG_DATA_HOME",
      "CLAUDE_CONFIG_DIR",
      "CODEX_HOME",
      "CODEX_SQLITE_HOME",
      "GEMINI_CLI_HOME",
      "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
      "OPENCODE_CONFIG",
      "OPENCODE_CONFIG_CONTENT",
      "OPENCODE_CONFIG_DIR",
      "COPILOT_HOME",
      "PI_CODING_AGENT_DIR",
      "AWS_CONFIG_FILE",
      "GOOGLE_APPLICATION_CREDENTIALS"
    ]
  ],
  ["what its program loads", ["NODE_OPTIONS", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV"]]
]

/** Of the project, of the run, or a choice that sends nothing elsewhere. */
const others = [
  "CI",
  "PATH",
  "DB_HOST",
  "APP_BASE_URL",
  "PUBLIC_API_URL",
  "HOSTNAME",
  "XDG_CACHE_HOME",
  "JAVA_HOME",
  "ANTHROPIC_MODEL",
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
  "OPENAI_ORGANIZATION",
  "GOOGLE_CLOUD_PROJECT",
  "NODE_ENV",
  "PYTHONPATH",
  "PORT"
]

describe("routes", () => {
  it("are known by what they decide", () => {
    for (const [kind, names] of routes) for (const name of names) assert.strictEqual(routeOf(name), kind, name)
    for (const name of others) assert.isNull(routeOf(name), name)
  })

  it("are a redirection only where the value is another than above", () => {
    const above = { OPENAI_BASE_URL: "http://a", HOME: "/h" }
    assert.deepStrictEqual(redirections({ OPENAI_BASE_URL: "http://a", CI: "1" }, above), [])
    assert.deepStrictEqual(redirections({ OPENAI_BASE_URL: "http://b", HTTP_PROXY: "", CI: "1" }, above), [
      "OPENAI_BASE_URL",
      "HTTP_PROXY"
    ])
  })

  it("come from above, also where the agent's process dropped or added some", () => {
    const { environment, replaced } = withRoutesOf(
      { CI: "1", HTTPS_PROXY: "http://sandbox", HOME: "/h" },
      { HOME: "/h", CODEX_HOME: "/c", SECRET: "s" }
    )
    assert.deepStrictEqual(environment, { CI: "1", HOME: "/h", CODEX_HOME: "/c" })
    assert.deepStrictEqual(replaced, ["HTTPS_PROXY"])
  })
})
