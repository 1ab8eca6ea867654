/** Changes one entry of a user's JSON or JSONC file and keeps every other byte: comments, order, numbers, line ends. */
import type { JSONScanner, Node, ParseError, ParseOptions } from "jsonc-parser"
import type { EditResult, Entry } from "./Entry.ts"

/** The functions of `jsonc-parser`, which is loaded when a file has to be changed. */
interface JsonParser {
  readonly createScanner: (text: string, ignoreTrivia: boolean) => JSONScanner
  readonly parseTree: (text: string, errors: Array<ParseError>, options: ParseOptions) => Node | undefined
}

const byteOrderMark = "\uFEFF"

const options = { allowTrailingComma: true, disallowComments: false, allowEmptyContent: true }

/** Undefined for a file without any value, null for one that is not valid. */
const treeOf = (parser: JsonParser, text: string): Node | null | undefined => {
  const errors: Array<ParseError> = []
  const tree = parser.parseTree(text, errors, options)
  return errors.length > 0 ? null : tree
}

const membersOf = (node: Node): ReadonlyArray<Node> => node.children ?? []
const keyOf = (member: Node): unknown => member.children?.[0]?.value
const contentOf = (member: Node): Node | undefined => member.children?.[1]

/** All members of that name: a reader takes the last one, an editor could take the first. */
const named = (node: Node, key: string): ReadonlyArray<Node> => membersOf(node).filter((each) => keyOf(each) === key)

interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

const spliced = (text: string, splices: ReadonlyArray<Splice>): string =>
  [...splices]
    .sort((left, right) => right.from - left.from)
    .reduce((whole, { from, text: added, to }) => whole.slice(0, from) + added + whole.slice(to), text)

const isComment = (token: string): boolean => token.startsWith("//") || token.startsWith("/*")

/** Calls `see` for what comes from `offset` on, blank and comments included, until it answers false. */
const scan = (
  { createScanner }: JsonParser,
  text: string,
  offset: number,
  see: (token: string, at: number) => boolean
): void => {
  const scanner = createScanner(text, false)
  scanner.setPosition(offset)
  const seen = () => {
    scanner.scan()
    const at = scanner.getTokenOffset()
    return { at, token: text.slice(at, at + scanner.getTokenLength()) }
  }
  for (let { at, token } = seen(); token !== "" && see(token, at); { at, token } = seen());
}

/** The comma that follows `offset`, also after comments and line ends; null where something else follows. */
const commaAfter = (parser: JsonParser, text: string, offset: number): number | null => {
  let comma: number | null = null
  scan(parser, text, offset, (token, at) => {
    if (token === ",") comma = at
    return token.trim() === "" || isComment(token)
  })
  return comma
}

/** The end of the comments that follow `offset` in its line; `offset` itself where there are none. */
const commentEnd = (parser: JsonParser, text: string, offset: number): number => {
  let end = offset
  scan(parser, text, offset, (token, at) => {
    if (isComment(token)) end = at + token.length
    return isComment(token) || /^[ \t]+$/.test(token)
  })
  return end
}

/** The blank at the beginning of the line of `offset`; null where something else comes before it in its line. */
const indentAt = (text: string, offset: number): string | null => {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset)
  return /^[ \t]*$/.test(line) ? line : null
}

const lineIndent = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1))?.[0] ?? ""

/** What the file uses for one level. */
const levelOf = (text: string): string => /\n([ \t]+)["/]/.exec(text)?.[1] ?? "  "

interface Style {
  readonly level: string
  readonly eol: string
  /** A file of one line, as programs write it, stays one. */
  readonly compact: boolean
  /** After commas and colons within a line. */
  readonly blank: string
}

const styleOf = (text: string): Style => ({
  level: levelOf(text),
  eol: text.includes("\r\n") ? "\r\n" : "\n",
  compact: text.trim() !== "" && text.trim() !== "{}" && !text.trim().includes("\n"),
  blank: /"\s*:\S/.test(text) ? "" : " "
})

/** In one line, or as the file writes its members. */
const written = (value: unknown, style: Style, indent: string | null): string =>
  indent === null
    ? JSON.stringify(value)
    : JSON.stringify(value, null, style.level).replaceAll("\n", `${style.eol}${indent}`)

/** The place of a new member: after the last one and the comment in its line. */
const insertion = (
  parser: JsonParser,
  text: string,
  node: Node,
  key: string,
  value: unknown,
  style: Style
): ReadonlyArray<Splice> => {
  const members = membersOf(node)
  const last = members.at(-1)
  const end = node.offset + node.length - 1
  const outer = lineIndent(text, node.offset)
  const ownIndent = last === undefined ? null : indentAt(text, last.offset)
  const indent = ownIndent ?? `${outer}${style.level}`
  const inline = style.compact || (last !== undefined && ownIndent === null)
  const member = `${JSON.stringify(key)}:${inline ? style.blank : " "}${written(value, style, inline ? null : indent)}`
  if (last === undefined) {
    const from = node.offset + 1
    const empty = text.slice(from, end).trim() === ""
    if (inline) return [{ from, to: empty ? end : from, text: member }]
    const lead = `${style.eol}${indent}`
    // Comments that are there stay after it.
    return [{ from, to: empty ? end : from, text: `${lead}${member}${empty ? `${style.eol}${outer}` : ""}` }]
  }
  const lastEnd = last.offset + last.length
  const comma = commaAfter(parser, text, lastEnd)
  const at = commentEnd(parser, text, comma === null ? lastEnd : comma + 1)
  const lead = inline && at === lastEnd ? style.blank : inline ? " " : `${style.eol}${indent}`
  const lineComment = /\/\/[^\n]*$/.test(text.slice(lastEnd, at))
  const before = inline && lineComment ? `${style.eol}${indent}` : lead
  if (comma !== null) return [{ from: at, to: at, text: `${before}${member},` }]
  if (at === lastEnd) return [{ from: at, to: at, text: `,${before}${member}` }]
  return [
    { from: lastEnd, to: lastEnd, text: "," },
    { from: at, to: at, text: `${before}${member}` }
  ]
}

const isObject = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value)

class Refusal extends Error {}

/** The one member of that name. */
const only = (node: Node, key: string): Node | undefined => {
  const members = named(node, key)
  if (members.length > 1) throw new Refusal(`names '${key}' twice`)
  const value = members[0] === undefined ? undefined : contentOf(members[0])
  if (members.length > 0 && value === undefined) throw new Refusal(`has no value for '${key}'`)
  return value
}

const sameValue = (text: string, node: Node, value: unknown): boolean => {
  try {
    return JSON.stringify(JSON.parse(text.slice(node.offset, node.offset + node.length))) === JSON.stringify(value)
  } catch {
    return false
  }
}

/** The text with `value` at `path`; objects are merged member by member, so that what a person has added stays. */
const withValue = (
  parser: JsonParser,
  text: string,
  path: ReadonlyArray<string>,
  value: unknown,
  style: Style
): string => {
  let node = treeOf(parser, text) ?? undefined
  if (node === undefined || node.type !== "object") throw new Refusal("is not a JSON object")
  for (const [index, key] of path.entries()) {
    const next: Node | undefined = only(node, key)
    if (next === undefined) {
      const rest = path.slice(index + 1).reduceRight((inner: unknown, name) => ({ [name]: inner }), value)
      return spliced(text, insertion(parser, text, node, key, rest, style))
    }
    if (index < path.length - 1 && next.type !== "object") throw new Refusal(`has something else under '${key}'`)
    node = next
  }
  if (isObject(value) && node.type === "object") {
    return Object.entries(value).reduce(
      (whole, [key, inner]) => withValue(parser, whole, [...path, key], inner, style),
      text
    )
  }
  if (sameValue(text, node, value)) return text
  const to = node.offset + node.length
  const indent = text.slice(node.offset, to).includes("\n") ? lineIndent(text, node.offset) : null
  return spliced(text, [{ from: node.offset, to, text: written(value, style, indent) }])
}

const withoutMember = (parser: JsonParser, text: string, object: Node, member: Node): string => {
  const members = membersOf(object)
  const index = members.indexOf(member)
  const end = member.offset + member.length
  const own = commaAfter(parser, text, end)
  const before = members[index - 1]
  let from = member.offset
  const to = own === null ? end : own + 1
  const lineStart = text.slice(0, from).search(/(\r?\n)?[ \t]*$/)
  if (lineStart >= 0) from = lineStart
  const splices: Array<Splice> = [{ from, to, text: "" }]
  if (own === null && before !== undefined) {
    const comma = commaAfter(parser, text, before.offset + before.length)
    if (comma !== null) splices.push({ from: comma, to: comma + 1, text: "" })
  }
  return spliced(text, splices)
}

/** The file as data, every scalar as it is written, without our entry: what must be equal before and after. */
const rest = (parser: JsonParser, text: string, section: string, server: string): string => {
  const root = treeOf(parser, text)
  const dataOf = (node: Node, path: ReadonlyArray<string>): unknown => {
    if (node.type === "array") return (node.children ?? []).map((each) => dataOf(each, [...path, "[]"]))
    if (node.type !== "object") return text.slice(node.offset, node.offset + node.length)
    return membersOf(node).flatMap((member) => {
      const key = String(keyOf(member))
      const value = contentOf(member)
      const at = [...path, key]
      if (value === undefined || (at.length === 2 && at[0] === section && key === server)) return []
      const data = dataOf(value, at)
      return at.length === 1 && key === section && Array.isArray(data) && data.length === 0 ? [] : [[key, data]]
    })
  }
  return root === null || root === undefined ? "[]" : JSON.stringify(dataOf(root, []))
}

const edited = (
  parser: JsonParser,
  given: string,
  section: string,
  server: string,
  change: (text: string) => string
): EditResult => {
  const mark = given.startsWith(byteOrderMark) ? byteOrderMark : ""
  const text = given.slice(mark.length)
  try {
    const tree = treeOf(parser, text)
    if (tree === null) throw new Refusal("is not valid JSON")
    const next = change(text)
    if (
      treeOf(parser, next) === null ||
      (tree !== undefined && rest(parser, next, section, server) !== rest(parser, text, section, server))
    ) {
      throw new Refusal("cannot be changed without changing more than the entry")
    }
    return { _tag: "Edited", text: `${mark}${next}` }
  } catch (error) {
    if (error instanceof Refusal) return { _tag: "Refused", problem: error.message }
    throw error
  }
}

/** Our entry as it is; empty where there is none, or where the file is refused anyway. */
export const entryInJson = (
  parser: JsonParser,
  given: string,
  section: string,
  server: string
): Readonly<Record<string, unknown>> => {
  const root = treeOf(parser, given.replace(byteOrderMark, ""))
  const at = (node: Node | undefined, key: string) => {
    const last = node?.type === "object" ? named(node, key).at(-1) : undefined
    return last === undefined ? undefined : contentOf(last)
  }
  const own = at(at(root ?? undefined, section), server)
  if (own === undefined || own.type !== "object") return {}
  return Object.fromEntries(membersOf(own).map((member) => [String(keyOf(member)), contentOf(member)?.value ?? null]))
}

/** The file with our entry in it, new or brought up to date. */
export const setJson = (parser: JsonParser, given: string, section: string, server: string, entry: Entry): EditResult =>
  edited(parser, given, section, server, (text) => {
    if (text.trim() === "") return `${JSON.stringify({ [section]: { [server]: entry } }, null, 2)}\n`
    return withValue(parser, text, [section, server], entry, styleOf(text))
  })

/** The file without our entry. */
export const removeJson = (parser: JsonParser, given: string, section: string, server: string): EditResult =>
  edited(parser, given, section, server, (text) => {
    const root = treeOf(parser, text)
    if (root === null || root === undefined || root.type !== "object") return text
    const object = only(root, section)
    if (object === undefined || object.type !== "object" || only(object, server) === undefined) return text
    const [member] = named(object, server)
    return member === undefined ? text : withoutMember(parser, text, object, member)
  })
