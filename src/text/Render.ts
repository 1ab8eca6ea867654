/** Turns stored chunks into lines that a person can read, with a mark where output was dropped. */

import * as Lines from "../domain/output/Lines.ts"
import type { OutputChunk, StreamName } from "../domain/output/Output.ts"
import type { Renderer } from "../domain/task/Agent.ts"
import { bytes as bytesText } from "./FormatDuration.ts"
import { sanitize } from "./Sanitize.ts"

export interface Rendered {
  readonly stream: StreamName
  /** One line without its newline, safe to print. */
  readonly text: string
  /** When the bytes that completed it were captured. */
  readonly at: number
}

export interface Render {
  readonly push: (chunk: OutputChunk) => ReadonlyArray<Rendered>
  /** The remaining lines when the output ends. */
  readonly end: () => ReadonlyArray<Rendered>
}

/** A shown line is cut here: longer lines are not readable and make terminals slow. In UTF-16 units. */
const longestShown = 64 * 1024

/** The mark of a line that lost its other half. */
const longestFragment = 500

const shorten = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters; raw shows them)`

/** What a terminal shows of a line that overwrites itself, as progress bars do. */
const overwritten = (line: string): string => {
  if (!line.includes("\r")) return line
  return (
    line
      .split("\r")
      .reverse()
      .find((part) => part.trim() !== "") ?? ""
  )
}

const show = (line: string, limit = longestShown): ReadonlyArray<string> =>
  line.split("\n").map((part) => shorten(sanitize(overwritten(part)), limit))

/** Bytes at the start that continue a character whose beginning is gone. */
const withoutBrokenStart = (bytes: Uint8Array): Uint8Array => {
  let start = 0
  while (start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1
  return bytes.subarray(start)
}

interface Reader {
  readonly lines: Lines.Lines
  /** Where the next byte is expected; null before the first chunk. */
  expected: number | null
  /** The text up to the next newline has lost its start: it is shown after a gap, but not before the first line. */
  broken: "no" | "gap" | "start"
}

/** `renderer` formats stdout; stderr is shown unchanged. Chunks come in order of capture. */
export const make = (renderer: Renderer): Render => {
  const readers: Readonly<Record<StreamName, Reader>> = {
    stdout: { lines: Lines.make(), expected: null, broken: "no" },
    stderr: { lines: Lines.make(), expected: null, broken: "no" }
  }

  const complete = (stream: StreamName, line: string): ReadonlyArray<string> => {
    const reader = readers[stream]
    const { broken } = reader
    reader.broken = "no"
    if (broken === "start") return []
    if (broken === "gap") return show(line, longestFragment)
    return stream === "stdout" ? renderer.line(line).flatMap((text) => show(text)) : show(line)
  }

  const gap = (stream: StreamName, size: number): ReadonlyArray<string> => {
    const reader = readers[stream]
    const fragment = reader.lines.flush().flatMap((line) => show(line, longestFragment))
    reader.broken = "gap"
    return [...fragment, `… ${bytesText(size)} of ${stream} dropped …`]
  }

  const push = (chunk: OutputChunk): ReadonlyArray<Rendered> => {
    const { stream, at } = chunk
    const reader = readers[stream]
    const end = chunk.offset + chunk.bytes.length
    const shown: Array<string> = []
    let bytes = chunk.bytes
    if (reader.expected === null) {
      if (chunk.offset > 0) {
        reader.broken = "start"
        bytes = withoutBrokenStart(bytes)
      }
    } else if (chunk.offset > reader.expected) {
      shown.push(...gap(stream, chunk.offset - reader.expected))
      bytes = withoutBrokenStart(bytes)
    } else if (chunk.offset < reader.expected) {
      bytes = bytes.subarray(Math.min(bytes.length, reader.expected - chunk.offset))
    }
    reader.expected = Math.max(end, reader.expected ?? 0)
    for (const line of reader.lines.push(bytes)) shown.push(...complete(stream, line))
    return shown.map((text) => ({ stream, text, at }))
  }

  const end = (): ReadonlyArray<Rendered> => {
    const rest = (stream: StreamName) => {
      const { lines, broken } = readers[stream]
      return lines.flush().flatMap((line) => (broken === "no" ? complete(stream, line) : show(line, longestFragment)))
    }
    const stdout = [...rest("stdout"), ...renderer.end().flatMap((line) => show(line))]
    const stderr = rest("stderr")
    const at = Number.MAX_SAFE_INTEGER
    return [
      ...stdout.map((text): Rendered => ({ stream: "stdout", text, at })),
      ...stderr.map((text): Rendered => ({ stream: "stderr", text, at }))
    ]
  }

  return { push, end }
}
