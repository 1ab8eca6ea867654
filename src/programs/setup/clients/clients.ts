/** The MCP clients that Backbeat can set up: the file each of them reads, and how our server is written into it. */
import type { ClientDirectories, ServerCommand } from "../../../services/McpClients.ts"
import type { ClientName } from "./ClientName.ts"
import type { Entry } from "./Entry.ts"

/** The name under which clients know the server. */
export const server = "backbeat"

export interface Client {
  readonly title: string
  /** Where the entry belongs; of several files the first one that is there, else the first one. */
  readonly files: (directories: ClientDirectories) => readonly [string, ...ReadonlyArray<string>]
  /** The client's own command that does the same; null where it has none. */
  readonly command: ((start: ServerCommand) => string) | null
  readonly format: "json" | "toml"
  /** The object that holds the servers. */
  readonly section: string
  readonly entry: (start: ServerCommand) => Entry
  /** What a new entry has too; a person may have changed it since. */
  readonly once?: Entry
}

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
const words = ({ args, command }: ServerCommand): string => [command, ...args].map(word).join(" ")

const variables = ({ env }: ServerCommand, option: string): string =>
  Object.entries(env)
    .map(([name, value]) => `${option} ${word(`${name}=${value}`)} `)
    .join("")

const withVariables = ({ env }: ServerCommand, key: string): Entry =>
  Object.keys(env).length === 0 ? {} : { [key]: env }

const plain = (start: ServerCommand): Entry => ({
  command: start.command,
  args: start.args,
  ...withVariables(start, "env")
})
const stdio = (start: ServerCommand): Entry => ({ type: "stdio", ...plain(start) })

/**
 * Codex gives a server HOME, PATH and a few more. What agents log in with, and what leads them to their models, has to be
 * named; a variable that is not set is passed over.
 */
export const passedOn: ReadonlyArray<string> = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_BASE_URL",
  "ANTHROPIC_OAUTH_TOKEN",
  "AWS_PROFILE",
  "AWS_REGION",
  "BAILIAN_CODING_PLAN_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_FOUNDRY",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CONFIG_DIR",
  "CODEX_ACCESS_TOKEN",
  "CODEX_API_KEY",
  "CODEX_HOME",
  "COPILOT_GITHUB_TOKEN",
  "COPILOT_PROVIDER_API_KEY",
  "COPILOT_PROVIDER_BEARER_TOKEN",
  "DASHSCOPE_API_KEY",
  "DEEPSEEK_API_KEY",
  "GEMINI_API_KEY",
  "GH_TOKEN",
  "GITHUB_TOKEN",
  "GOOGLE_API_KEY",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CLOUD_LOCATION",
  "GOOGLE_CLOUD_PROJECT",
  "GOOGLE_GENAI_USE_GCA",
  "GOOGLE_GENAI_USE_VERTEXAI",
  "GOOGLE_GENERATIVE_AI_API_KEY",
  "GROQ_API_KEY",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "MISTRAL_API_KEY",
  "NO_PROXY",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "OPENCODE_API_KEY",
  "OPENROUTER_API_KEY",
  "SSH_AUTH_SOCK",
  "XAI_API_KEY",
  "ZAI_API_KEY"
]

export const clients: { readonly [Name in ClientName]: Client } = {
  claude: {
    title: "Claude Code",
    files: ({ home }) => [`${home}/.claude.json`],
    command: (start) => `claude mcp add ${variables(start, "--env")}--scope user ${server} -- ${words(start)}`,
    format: "json",
    section: "mcpServers",
    entry: stdio
  },
  codex: {
    title: "Codex",
    files: ({ codex }) => [`${codex}/config.toml`],
    command: (start) => `codex mcp add ${server} ${variables(start, "--env")}-- ${words(start)}`,
    format: "toml",
    section: "mcp_servers",
    entry: (start) => ({ ...plain(start), env_vars: passedOn })
  },
  gemini: {
    title: "Gemini CLI",
    files: ({ home }) => [`${home}/.gemini/settings.json`],
    command: (start) => `gemini mcp add --scope user ${variables(start, "-e")}${server} ${words(start)}`,
    format: "json",
    section: "mcpServers",
    entry: plain
  },
  cursor: {
    title: "Cursor",
    files: ({ home }) => [`${home}/.cursor/mcp.json`],
    command: null,
    format: "json",
    section: "mcpServers",
    entry: stdio
  },
  vscode: {
    title: "VS Code",
    files: ({ applications }) => [`${applications}/Code/User/mcp.json`],
    command: (start) => `code --add-mcp ${word(JSON.stringify({ name: server, ...stdio(start) }))}`,
    format: "json",
    section: "servers",
    entry: stdio
  },
  // https://opencode.ai/docs/mcp-servers: one list for program and arguments, and both endings are read.
  opencode: {
    title: "OpenCode",
    files: ({ config }) => [`${config}/opencode/opencode.json`, `${config}/opencode/opencode.jsonc`],
    command: null,
    format: "json",
    section: "mcp",
    entry: (start) => ({
      type: "local",
      command: [start.command, ...start.args],
      ...withVariables(start, "environment")
    }),
    once: { enabled: true }
  },
  // https://qwenlm.github.io/qwen-code-docs/en/users/features/mcp
  qwen: {
    title: "Qwen Code",
    files: ({ home }) => [`${home}/.qwen/settings.json`],
    command: (start) => `qwen mcp add --scope user ${variables(start, "-e")}${server} ${words(start)}`,
    format: "json",
    section: "mcpServers",
    entry: plain
  },
  // https://docs.github.com/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers
  copilot: {
    title: "Copilot CLI",
    files: ({ copilot }) => [`${copilot}/mcp-config.json`],
    command: (start) => `copilot mcp add ${server} ${variables(start, "--env")}-- ${words(start)}`,
    format: "json",
    section: "mcpServers",
    entry: (start) => ({ type: "local", ...plain(start) }),
    once: { tools: ["*"] }
  }
}
