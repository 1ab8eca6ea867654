/** Lines for people: what the renderers of all agents share. */
import * as Schema from "effect/Schema"
import { aside, type Renderer } from "../../../domain/task/Agent.ts"
import { oneLine } from "./Bounds.ts"
import { loose, reader, text } from "./Printed.ts"

const argumentLength = 120
const rawLength = 4000
/** Types of unknown events that are shown: more of them are noise. */
const mostKinds = 20
const pieceLength = 64 * 1024

/** The argument that says most, by the names agents give it. */
const telling = [
  "command",
  "cmd",
  "file_path",
  "filePath",
  "absolute_path",
  "notebook_path",
  "path",
  "dir_path",
  "pattern",
  "query",
  "url",
  "description",
  "skill",
  "subject",
  "name",
  "prompt"
]

const asText = (value: unknown): string => {
  if (typeof value === "string") return value
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    // Nested deeper than the stack allows.
    return "..."
  }
}

/** `/bin/bash -lc 'npm test'` is `npm test`. */
const unwrapped = (command: string): string => {
  const inner = /^(?:\S*\/)?(?:ba|z|da)?sh\s+-l?c\s+(['"]?)([\s\S]*)\1$/.exec(command)
  return inner?.[2] ?? command
}

const argumentOf = (input: unknown): string => {
  if (typeof input !== "object" || input === null) return input === undefined || input === null ? "" : asText(input)
  if (Array.isArray(input)) return asText(input)
  const fields = new Map<string, unknown>(Object.entries(input))
  for (const name of telling) {
    const value = fields.get(name)
    if (typeof value === "string" && value.length > 0) return unwrapped(value)
    if (Array.isArray(value) && value.every((part) => typeof part === "string")) return value.join(" ")
  }
  return fields.size === 0 ? "" : asText(input)
}

/** One line for a tool call: `→ Edit src/a.ts`, `→ Bash npm test`. */
export const toolCall = (name: string | undefined, input: unknown): string =>
  `→ ${oneLine(`${name ?? "tool"} ${oneLine(argumentOf(input), argumentLength)}`, argumentLength + 60)}`

/** One line for a tool's failure. */
export const toolError = (said: unknown): string => {
  const words = oneLine(asText(said), 200)
  return `✗ ${words.length === 0 ? "failed" : words}`
}

export const failureLine = (message: string): string => `Failed: ${oneLine(message, 1000)}`

/** A text as lines. */
export const lines = (words: string): ReadonlyArray<string> => words.replace(/\r?\n$/, "").split(/\r?\n/)

/** A line of JSON: an object, or a list that holds objects or lists. Whole or cut, for a cut event is not text either. */
const isEvent = (line: string): boolean => /^\s*(?:\{\s*["}]|\[\s*[{[])/.test(line)

const Kind = Schema.Struct({ type: text, subtype: text, item: loose(Schema.Struct({ type: text })) })
const readKind = reader(Kind)

/** The type of an event, in a few words. Of an event that is cut, what can be read of it. */
const kindOf = (line: string): string => {
  const kind = readKind(line)
  const type = kind?.type ?? /"type"\s*:\s*"([^"\\]{1,60})"/.exec(line.slice(0, rawLength))?.[1]
  return oneLine([type ?? "event", kind?.subtype ?? kind?.item?.type ?? ""].filter((part) => part !== "").join("/"), 80)
}

/**
 * Lines that an adapter does not know. Text is shown as it came. An event is one line with its type, the first time
 * only: newer agents print new events by the thousand, and `--raw` has them all.
 */
export const strangers = (): ((line: string) => ReadonlyArray<string>) => {
  const met = new Set<string>()
  return (line) => {
    if (line.trim().length === 0) return []
    if (!isEvent(line)) {
      return [
        line.length <= rawLength ? line : `${line.slice(0, rawLength)}… (${line.length - rawLength} more characters)`
      ]
    }
    const kind = kindOf(line)
    if (met.has(kind) || met.size >= mostKinds) return []
    met.add(kind)
    return [`${aside}${kind}`]
  }
}

/** Joins pieces of text into whole lines. */
interface Pieces {
  /** The lines that this piece completes. */
  readonly add: (piece: string) => ReadonlyArray<string>
  /** What is left. */
  readonly flush: () => ReadonlyArray<string>
}

export const pieces = (): Pieces => {
  let open = ""
  const flush = (): ReadonlyArray<string> => {
    const rest = open
    open = ""
    return rest.length === 0 ? [] : [rest]
  }
  return {
    add: (piece) => {
      const parts = (open + piece).split(/\r?\n/)
      open = parts.pop() ?? ""
      return open.length > pieceLength ? [...parts, ...flush()] : parts
    },
    flush
  }
}

/** A renderer that shows lines as they are. */
export const plain = (): Renderer => ({ line: (line) => [line], end: () => [] })
