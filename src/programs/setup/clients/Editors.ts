/** The known clients and the editors of their files, with the parsers: a separate bundle, which only `beat mcp` loads. */
import * as jsonc from "jsonc-parser"
import { parse } from "smol-toml"
import { parseTOML } from "toml-eslint-parser"
import type { ServerCommand } from "../../../services/McpClients.ts"
import { type Client, clients, server } from "./clients.ts"
import type { EditResult, Entry } from "./Entry.ts"
import { entryInJson, removeJson, setJson } from "./JsonEdit.ts"
import { entryInToml, removeToml, setToml, type TomlParsers } from "./TomlEdit.ts"
import { tomlTable } from "./TomlText.ts"

export { clients, server }

const parsers: TomlParsers = {
  program: (text) => parseTOML(text),
  data: (text) => parse(text, { integersAsBigInt: true })
}

const isText = (value: unknown): value is string => typeof value === "string"

/** What a person has set stays: choices of theirs, and names they have added to a list of names. */
const adapted = (found: Readonly<Record<string, unknown>>, wanted: Entry, once: Entry): Entry => {
  const missing = Object.entries(once).filter(([key]) => found[key] === undefined)
  const { env_vars: names, ...entry } = wanted
  const theirs = found.env_vars
  const whole = { ...entry, ...Object.fromEntries(missing) }
  if (!Array.isArray(names)) return whole
  if (!Array.isArray(theirs)) return { ...whole, env_vars: names }
  // Codex also takes tables here; such a list is the person's own affair.
  if (!theirs.every(isText)) return whole
  return { ...whole, env_vars: [...theirs, ...names.filter((name) => !theirs.includes(name))] }
}

/** What a person adds to the file to have what `withServer` writes. */
export const snippetOf = (client: Client, start: ServerCommand): string => {
  const entry = { ...client.entry(start), ...client.once }
  return client.format === "toml"
    ? tomlTable([client.section, server], entry)
    : JSON.stringify({ [client.section]: { [server]: entry } }, null, 2)
}

/** The text with our entry in it. */
export const withServer = (client: Client, text: string, start: ServerCommand): EditResult => {
  const { format, once = {}, section } = client
  const wanted = client.entry(start)
  if (format === "json") {
    return setJson(jsonc, text, section, server, adapted(entryInJson(jsonc, text, section, server), wanted, once))
  }
  const path = [section, server]
  return setToml(parsers, text, path, adapted(entryInToml(parsers, text, path), wanted, once))
}

/** The text without our entry. */
export const withoutServer = ({ format, section }: Client, text: string): EditResult =>
  format === "json" ? removeJson(jsonc, text, section, server) : removeToml(parsers, text, [section, server])
