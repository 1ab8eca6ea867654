/** Changes one table of a user's TOML file, however it is written there, and keeps every other byte. */
import type { AST } from "toml-eslint-parser"
import { type EditResult, type Entry, isEntry } from "./Entry.ts"
import { bare, dotted, tomlTable, written } from "./TomlText.ts"
import { type Pair, type TomlTree, treeOfToml } from "./TomlTree.ts"

/** The parsers, which are loaded when a file has to be changed: one finds the places, the other checks the result. */
export interface TomlParsers {
  readonly program: (text: string) => AST.TOMLProgram
  readonly data: (text: string) => unknown
}

type Path = ReadonlyArray<string>

const same = (left: Path, right: Path): boolean =>
  left.length === right.length && left.every((part, index) => part === right[index])
const below = (path: Path, prefix: Path): boolean =>
  path.length > prefix.length && prefix.every((part, index) => part === path[index])

const cut = (text: string, from: number, to: number, added = ""): string => text.slice(0, from) + added + text.slice(to)

const eolOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n")

const lineEnd = (text: string, offset: number): number => {
  const at = text.indexOf("\n", offset)
  return at < 0 ? text.length : at + 1
}
const lineStart = (text: string, offset: number): number => text.lastIndexOf("\n", offset - 1) + 1

const indentAt = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? ""

/** Into braces, first of all: what follows has its comma already. */
const intoBraces = (text: string, { inline, value }: Pair, line: string): string =>
  cut(text, value.from + 1, value.from + 1, inline?.length === 0 ? ` ${line} ` : ` ${line},`)

/** A value that is not there yet, in the nearest place that has a name for it; null where there is none. */
const inserted = (text: string, tree: TomlTree, path: Path, value: Entry[string], depth: number): string | null => {
  const eol = eolOf(text)
  for (let length = path.length - 1; length >= depth; length--) {
    const prefix = path.slice(0, length)
    const line = `${dotted(path.slice(length))} = ${written(value)}`
    const table = tree.tables.find((each) => same(each.path, prefix))
    if (table !== undefined) {
      const at = lineEnd(text, table.header.to)
      return cut(text, at, at, text.endsWith("\n") || at < text.length ? `${line}${eol}` : `${eol}${line}`)
    }
    const braces = tree.pairs.find((each) => each.inline !== null && same(each.path, prefix))
    if (braces !== undefined) return intoBraces(text, braces, line)
    const sibling = tree.pairs.find((each) => below(each.path, prefix) && each.container.length < length)
    if (sibling !== undefined) {
      const long = `${dotted(path.slice(sibling.container.length))} = ${written(value)}`
      const follow = sibling.braces === null ? `${eol}${indentAt(text, sibling.from)}` : ", "
      return cut(text, sibling.from, sibling.from, `${long}${follow}`)
    }
  }
  return null
}

const leaves = (entry: Entry, path: Path): ReadonlyArray<readonly [Path, Entry[string]]> =>
  Object.entries(entry).flatMap(([key, value]) =>
    isEntry(value) ? leaves(value, [...path, key]) : [[[...path, key], value] as const]
  )

const mentions = ({ pairs, tables }: TomlTree, path: Path): boolean =>
  [...pairs, ...tables].some((each) => same(each.path, path) || below(each.path, path))

const appended = (text: string, tree: TomlTree, path: Path, entry: Entry): string => {
  const closed = tree.pairs.find((each) => each.inline !== null && same(each.path, path.slice(0, -1)))
  if (closed !== undefined) return intoBraces(text, closed, `${bare(path.at(-1) ?? "")} = ${written(entry)}`)
  const eol = eolOf(text)
  const gap = text === "" ? "" : text.endsWith("\n") ? eol : `${eol}${eol}`
  return `${text}${gap}${tomlTable(path, entry).replaceAll("\n", eol)}${eol}`
}

const withEntry = (parsers: TomlParsers, given: string, path: Path, entry: Entry): string => {
  const first = treeOfToml(parsers.program(given))
  if (!mentions(first, path)) return appended(given, first, path, entry)
  // The last one first: each new line goes above those that were put in before.
  return leaves(entry, path).reduceRight((text, [leaf, value]) => {
    const tree = treeOfToml(parsers.program(text))
    const pair = tree.pairs.find((each) => same(each.path, leaf))
    if (pair === undefined) {
      const only = leaf.slice(path.length).reduceRight<Entry[string]>((inner, key) => ({ [key]: inner }), value)
      return inserted(text, tree, leaf, value, path.length) ?? appended(text, tree, path, isEntry(only) ? only : {})
    }
    return canonical(parsers.data(`x = ${text.slice(pair.value.from, pair.value.to)}`)) ===
      canonical(parsers.data(`x = ${written(value)}`))
      ? text
      : cut(text, pair.value.from, pair.value.to, written(value))
  }, given)
}

const withoutPair = (text: string, pair: Pair): string => {
  if (pair.braces === null) {
    const from = lineStart(text, pair.from)
    return cut(text, from, lineEnd(text, pair.to))
  }
  const behind = /^\s*,[ \t]*/.exec(text.slice(pair.to))?.[0]
  if (behind !== undefined) return cut(text, pair.from, pair.to + behind.length)
  const before = /,?\s*$/.exec(text.slice(0, pair.from))?.[0] ?? ""
  return cut(text, pair.from - before.length, pair.to, before.startsWith(",") ? " " : "").replace("{ }", "{}")
}

const withoutEntry = (parsers: TomlParsers, given: string, path: Path): string => {
  let text = given
  while (true) {
    const tree = treeOfToml(parsers.program(text))
    const ours = (each: { readonly path: Path }) => same(each.path, path) || below(each.path, path)
    const table = tree.tables.find(ours)
    const pair = tree.pairs.find(ours)
    if (table !== undefined) {
      const from = lineStart(text, table.from)
      const to = lineEnd(text, table.to)
      // One of the blank lines on both sides is enough.
      const blank = /^\r?\n/.exec(text.slice(to))?.[0].length ?? 0
      const doubled = /(^|\n)\r?\n$/.test(text.slice(0, from))
      text = cut(text, from, to + (doubled || from === 0 ? blank : 0))
      if (text.length === from) text = text.replace(/(\r?\n)(\r?\n)+$/, "$1")
    } else if (pair !== undefined) text = withoutPair(text, pair)
    else return text
  }
}

/** The data as one text that is equal for equal data: keys in order, whole numbers of any size, dates. */
const canonical = (value: unknown): string => {
  if (typeof value === "bigint") return `${value}n`
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== "object" || value === null)
    return typeof value === "number" ? `${value}f` : JSON.stringify(value)
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}

/** What the file says without our entry, and our entry. */
const halves = (parsers: TomlParsers, text: string, [section = "", server = ""]: Path) => {
  const whole = recordOf(parsers.data(text))
  const servers = recordOf(whole[section])
  const own = servers[server]
  delete servers[server]
  if (Object.keys(servers).length === 0) delete whole[section]
  else whole[section] = servers
  return { rest: canonical(whole), own }
}

/** Whether everything that was asked for is there, with what else was there before. */
const holds = (before: unknown, after: unknown, wanted: Entry | null): boolean => {
  if (wanted === null) return after === undefined
  const merge = (old: Record<string, unknown>, next: Entry): Record<string, unknown> => {
    for (const [key, value] of Object.entries(next))
      old[key] = isEntry(value) ? merge(recordOf(old[key]), value) : value
    return old
  }
  return canonical(merge(recordOf(before), wanted)) === canonical(after)
}

const byteOrderMark = "\uFEFF"

const edited = (parsers: TomlParsers, given: string, path: Path, wanted: Entry | null): EditResult => {
  const mark = given.startsWith(byteOrderMark) ? byteOrderMark : ""
  const text = given.slice(mark.length)
  const attempt = <A>(run: () => A): A | null => {
    try {
      return run()
    } catch {
      return null
    }
  }
  const before = attempt(() => halves(parsers, text, path))
  if (before === null) return { _tag: "Refused", problem: "is not valid TOML" }
  const next = attempt(() =>
    wanted === null ? withoutEntry(parsers, text, path) : withEntry(parsers, text, path, wanted)
  )
  const after = next === null ? null : attempt(() => halves(parsers, next, path))
  return next === null || after === null || after.rest !== before.rest || !holds(before.own, after.own, wanted)
    ? { _tag: "Refused", problem: "cannot be changed without changing more than the entry" }
    : { _tag: "Edited", text: `${mark}${next}` }
}

/** Our table as it is; empty where there is none, or where the file is refused anyway. */
export const entryInToml = (parsers: TomlParsers, given: string, path: Path): Readonly<Record<string, unknown>> => {
  try {
    return recordOf(halves(parsers, given.replace(byteOrderMark, ""), path).own)
  } catch {
    return {}
  }
}

/** The file with our table in it, new or brought up to date. */
export const setToml = (parsers: TomlParsers, text: string, path: Path, entry: Entry): EditResult =>
  edited(parsers, text, path, entry)

/** The file without our table and what is below it. */
export const removeToml = (parsers: TomlParsers, text: string, path: Path): EditResult =>
  edited(parsers, text, path, null)
