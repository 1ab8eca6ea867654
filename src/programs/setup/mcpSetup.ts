/** How each MCP client is told of our server: the file it reads, what has to stand in it, and how to change just that. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { ConfigInvalid } from "../../domain/Errors.ts"
import { type ClientDirectories, McpClients, type ServerCommand } from "../../services/McpClients.ts"

export const ClientName = Schema.Literal("claude", "codex", "gemini", "cursor", "vscode")
export type ClientName = typeof ClientName.Type

/** The name under which clients know the server. */
const server = "backbeat"

interface Client {
  readonly title: string
  readonly file: (directories: ClientDirectories) => string
  /** The client's own command that does the same; null where it has none. */
  readonly command: ((start: ServerCommand) => string) | null
  readonly format: "json" | "toml"
  /** The object that servers stand in. */
  readonly section: string
  readonly entry: (start: ServerCommand) => Readonly<Record<string, unknown>>
}

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
const words = ({ args, command }: ServerCommand): string => [command, ...args].map(word).join(" ")

const plain = ({ args, command }: ServerCommand) => ({ command, args })
const stdio = (start: ServerCommand) => ({ type: "stdio", ...plain(start) })

const clients: { readonly [Name in ClientName]: Client } = {
  claude: {
    title: "Claude Code",
    file: ({ home }) => `${home}/.claude.json`,
    command: (start) => `claude mcp add --scope user ${server} -- ${words(start)}`,
    format: "json",
    section: "mcpServers",
    entry: stdio
  },
  codex: {
    title: "Codex",
    file: ({ codex }) => `${codex}/config.toml`,
    command: (start) => `codex mcp add ${server} -- ${words(start)}`,
    format: "toml",
    section: "mcp_servers",
    entry: plain
  },
  gemini: {
    title: "Gemini CLI",
    file: ({ home }) => `${home}/.gemini/settings.json`,
    command: (start) => `gemini mcp add --scope user ${server} ${words(start)}`,
    format: "json",
    section: "mcpServers",
    entry: plain
  },
  cursor: {
    title: "Cursor",
    file: ({ home }) => `${home}/.cursor/mcp.json`,
    command: null,
    format: "json",
    section: "mcpServers",
    entry: stdio
  },
  vscode: {
    title: "VS Code",
    file: ({ applications }) => `${applications}/Code/User/mcp.json`,
    command: (start) => `code --add-mcp ${word(JSON.stringify({ name: server, ...stdio(start) }))}`,
    format: "json",
    section: "servers",
    entry: stdio
  }
}

const isObject = Schema.is(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const tomlValue = (value: unknown): string =>
  // A JSON text of strings is a TOML value too.
  Array.isArray(value) ? `[${value.map(tomlValue).join(", ")}]` : JSON.stringify(value)

const tomlTable = (section: string, entry: Readonly<Record<string, unknown>>): string =>
  [`[${section}.${server}]`, ...Object.entries(entry).map(([key, value]) => `${key} = ${tomlValue(value)}`)].join("\n")

const snippetOf = (client: Client, start: ServerCommand): string =>
  client.format === "toml"
    ? tomlTable(client.section, client.entry(start))
    : JSON.stringify({ [client.section]: { [server]: client.entry(start) } }, null, 2)

const bad = (path: string, problem: string) => Either.left(new ConfigInvalid({ path, problem }))

/** The file's own indentation. */
const indentOf = (text: string): string => /\n([ \t]+)"/.exec(text)?.[1] ?? "  "

const intoJson = (path: string, text: string | null, client: Client, start: ServerCommand) => {
  const parsed = Either.try((): unknown => (text === null || text.trim() === "" ? {} : JSON.parse(text)))
  const byHand = `add this by hand:\n${snippetOf(client, start)}`
  if (Either.isLeft(parsed)) return bad(path, `is not plain JSON, and its comments would be lost; ${byHand}`)
  const whole = parsed.right
  if (!isObject(whole)) return bad(path, `is no JSON object; ${byHand}`)
  const section = whole[client.section] ?? {}
  if (!isObject(section)) return bad(path, `'${client.section}' is no object; ${byHand}`)
  const before = section[server]
  // What the person has added to it, variables for instance, stays.
  const entry = { ...(isObject(before) ? before : {}), ...client.entry(start) }
  if (JSON.stringify(before) === JSON.stringify(entry)) return Either.right(text ?? "")
  const next = { ...whole, [client.section]: { ...section, [server]: entry } }
  return Either.right(`${JSON.stringify(next, null, indentOf(text ?? ""))}\n`)
}

/** Only our table is touched: comments and order elsewhere stay. */
const intoToml = (text: string | null, client: Client, start: ServerCommand): string => {
  const lines = (text ?? "").split("\n")
  const header = new RegExp(`^\\s*\\[\\s*${client.section}\\s*\\.\\s*"?${server}"?\\s*\\]\\s*(#.*)?$`)
  const entry = client.entry(start)
  const at = lines.findIndex((line) => header.test(line))
  if (at < 0) {
    const before = (text ?? "").replace(/\n*$/, "")
    return `${before === "" ? "" : `${before}\n\n`}${tomlTable(client.section, entry)}\n`
  }
  const length = lines.slice(at + 1).findIndex((line) => /^\s*\[/.test(line))
  const end = length < 0 ? lines.length : at + 1 + length
  const own = lines.slice(at + 1, end)
  const keys = Object.entries(entry).map(([key, value]) => ({ key, line: `${key} = ${tomlValue(value)}` }))
  const changed = own.map((line) => keys.find(({ key }) => new RegExp(`^\\s*${key}\\s*=`).test(line))?.line ?? line)
  const missing = keys.flatMap(({ line }) => (changed.includes(line) ? [] : [line]))
  return [...lines.slice(0, at + 1), ...missing, ...changed, ...lines.slice(end)].join("\n")
}

export const Snippet = Schema.Struct({
  client: Schema.String,
  /** The file that the snippet belongs into. */
  file: Schema.NullOr(Schema.String),
  /** A command of the client that does the same. */
  command: Schema.NullOr(Schema.String),
  snippet: Schema.String
}).annotations({ identifier: "McpSnippet" })
export type Snippet = typeof Snippet.Type

/** What to write where; `json` is what most other clients take. */
export const mcpSnippet = Effect.fn("mcpSnippet")(function* (name: ClientName | "json") {
  const { directories, server: startOf } = yield* McpClients
  const start = yield* startOf
  if (name === "json") {
    const snippet: Snippet = { client: "json", file: null, command: null, snippet: snippetOf(clients.cursor, start) }
    return snippet
  }
  const client = clients[name]
  const snippet: Snippet = {
    client: client.title,
    file: client.file(yield* directories),
    command: client.command === null ? null : client.command(start),
    snippet: snippetOf(client, start)
  }
  return snippet
})

export const InstallReport = Schema.Struct({
  client: Schema.String,
  file: Schema.String,
  /** False: it was there already. */
  changed: Schema.Boolean,
  /** Whether anything was written. */
  written: Schema.Boolean,
  /** Where the file as it was is kept. */
  backup: Schema.NullOr(Schema.String),
  snippet: Schema.String
}).annotations({ identifier: "McpInstallReport" })
export type InstallReport = typeof InstallReport.Type

/** Adds the server to a client's configuration, or brings it up to date; nothing else in the file changes. */
export const installMcp = Effect.fn("installMcp")(function* (name: ClientName, dryRun: boolean) {
  const { directories, read, replace, server: startOf } = yield* McpClients
  const start = yield* startOf
  const client = clients[name]
  const file = client.file(yield* directories)
  const before = yield* read(file)
  const after =
    client.format === "toml" ? intoToml(before, client, start) : yield* intoJson(file, before, client, start)
  const changed = after !== (before ?? "")
  const written = changed && !dryRun
  const report: InstallReport = {
    client: client.title,
    file,
    changed,
    written,
    backup: written ? yield* replace(file, after) : null,
    snippet: snippetOf(client, start)
  }
  return report
})
