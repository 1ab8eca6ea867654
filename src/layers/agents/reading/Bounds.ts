/** Keeps texts within their limits without breaking a character. */
import { Buffer } from "node:buffer"

const size = (text: string): number => Buffer.byteLength(text)

/** The longest start (or end) of a text that fits into a number of bytes. */
const within = (text: string, bytes: number, keep: "start" | "end"): string => {
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  const part = keep === "start" ? encoded.subarray(0, bytes) : encoded.subarray(encoded.length - bytes)
  const decoded = part.toString("utf8")
  // A character cut in two decodes to replacement characters at the edge.
  return keep === "start" ? decoded.replace(/\uFFFD{1,3}$/, "") : decoded.replace(/^\uFFFD{1,3}/, "")
}

/** At most `bytes` bytes: the beginning and the end stay, the middle gives way to a note. */
export const cutMiddle = (text: string, bytes: number): string => {
  const total = size(text)
  if (total <= bytes) return text
  const note = `\n[... ${total - bytes} bytes left out ...]\n`
  const room = Math.max(0, bytes - size(note) - 24)
  return `${within(text, Math.ceil(room / 2), "start")}${note}${within(text, Math.floor(room / 2), "end")}`
}

/** At most `bytes` bytes from the start of a text. */
export const cutEnd = (text: string, bytes: number): string =>
  size(text) <= bytes ? text : `${within(text, Math.max(0, bytes - 3), "start")}…`

/** One line of at most `characters` characters. */
export const oneLine = (text: string, characters: number): string => {
  const line = text
    .slice(0, characters * 4)
    .replace(/\s+/g, " ")
    .trim()
  const parts = Array.from(line)
  const cut = parts.length > characters || text.length > characters * 4
  return cut ? `${parts.slice(0, characters - 1).join("")}…` : line
}
