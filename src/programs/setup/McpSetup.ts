/** Adds our server to the configuration of MCP clients and takes it out again: nothing else in their files changes. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ConfigInvalid } from "../../domain/Errors.ts"
import { McpClients } from "../../services/McpClients.ts"
import type { ClientName } from "./clients/ClientName.ts"
import type { Client } from "./clients/clients.ts"

export { ClientName } from "./clients/ClientName.ts"

// Loaded when a client has to be set up: few commands need it.
const setup = Effect.promise(() => import("./clients/Editors.ts"))

/** The client's file that is there, else the one that it would be given, with its text. */
const fileOf = Effect.fn("mcpSetup.fileOf")(function* (client: Client) {
  const { directories, read } = yield* McpClients
  const [first, ...others] = client.files(yield* directories)
  for (const file of [first, ...others]) {
    const text = yield* read(file)
    if (text !== null) return { file, text }
  }
  return { file: first, text: null }
})

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
  const { server: startOf } = yield* McpClients
  const { clients, snippetOf } = yield* setup
  const start = yield* startOf
  if (name === "json") {
    const snippet: Snippet = { client: "json", file: null, command: null, snippet: snippetOf(clients.cursor, start) }
    return snippet
  }
  const client = clients[name]
  const { file } = yield* fileOf(client)
  const snippet: Snippet = {
    client: client.title,
    file,
    command: client.command === null ? null : client.command(start),
    snippet: snippetOf(client, start)
  }
  return snippet
})

export const InstallReport = Schema.Struct({
  client: Schema.String,
  file: Schema.String,
  /** False: it was as asked for already. */
  changed: Schema.Boolean,
  /** Whether anything was written. */
  written: Schema.Boolean,
  /** Where the file as it was is kept. */
  backup: Schema.NullOr(Schema.String),
  snippet: Schema.String
}).annotations({ identifier: "McpInstallReport" })
export type InstallReport = typeof InstallReport.Type

const change = Effect.fn("mcpSetup.change")(function* (name: ClientName, dryRun: boolean, install: boolean) {
  const { replace, server: startOf } = yield* McpClients
  const { clients, server, snippetOf, withoutServer, withServer } = yield* setup
  const start = yield* startOf
  const client = clients[name]
  const snippet = snippetOf(client, start)
  const { file, text } = yield* fileOf(client)
  const before = text ?? ""
  const result = install ? withServer(client, before, start) : withoutServer(client, before)
  if (result._tag === "Refused") {
    const byHand = install ? `add this by hand:\n${snippet}` : `remove '${server}' from '${client.section}' by hand`
    return yield* new ConfigInvalid({ path: file, problem: `${result.problem}; ${byHand}` })
  }
  const changed = result.text !== before
  const written = changed && !dryRun
  const backup = written ? yield* replace(file, text, result.text) : null
  const report: InstallReport = { client: client.title, file, changed, written, backup, snippet }
  return report
})

/** Adds the server to a client's configuration, or brings it up to date; nothing else in the file changes. */
export const installMcp = (name: ClientName, dryRun: boolean) => change(name, dryRun, true)

/** Takes the server out of a client's configuration, with what a person has added to its entry. */
export const uninstallMcp = (name: ClientName, dryRun: boolean) => change(name, dryRun, false)
