/** Lines of the screen: pieces of text with a style each. The text never has a control byte and never exceeds its width. */
import truncatedWidth from "fast-string-truncated-width"
import type { Style, StyleName } from "../framework/Style.ts"

export interface Span {
  readonly text: string
  readonly style?: StyleName | undefined
}

export type Line = ReadonlyArray<Span>

/** Matches everything that a terminal could take for more than a character. The output of agents went through `sanitize` before. */
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const isAscii = (text: string): boolean => /^[ -~]*$/.test(text)

/** Columns that a text takes. */
export const columnsOf = (text: string): number => (isAscii(text) ? text.length : truncatedWidth(text).width)

/** Half of a character at the end. */
const half = /[\ud800-\udbff]$/

/** The beginning of a text that fits. */
export const chop = (text: string, columns: number): string => {
  if (columns <= 0) return ""
  if (isAscii(text)) return text.slice(0, columns)
  const result = truncatedWidth(text, { limit: columns, ellipsis: "" })
  let cut = result.truncated ? text.slice(0, result.index) : text
  // The library (3.0.3) takes a wide character beyond the basic plane for two of one column when it looks for the place.
  while (cut !== "" && (half.test(cut) || columnsOf(cut) > columns)) cut = cut.slice(0, -1)
  return cut
}

export const padEnd = (text: string, columns: number): string =>
  `${chop(text, columns)}${" ".repeat(Math.max(0, columns - columnsOf(chop(text, columns))))}`

export const padStart = (text: string, columns: number): string =>
  `${" ".repeat(Math.max(0, columns - columnsOf(text)))}${chop(text, columns)}`

/** Tabs as the spaces up to the next column that eight divides; other control bytes go. */
export const untabbed = (text: string): string => {
  if (!text.includes("\t")) return text
  let line = ""
  for (const [index, part] of text.split("\t").entries()) {
    line += index === 0 ? part : `${" ".repeat(8 - (columnsOf(line) % 8))}${part}`
  }
  return line
}

const asciiOf = (text: string): string => text.replace(/\u2026/g, "...").replace(/[^ -~]/gu, "?")

/** Makes a text fit to be shown: no control byte, and with `ascii` nothing but ASCII. */
export const shown = (text: string, ascii: boolean): string => {
  if (isAscii(text)) return text
  const clean = untabbed(text).replace(control, "")
  return ascii ? asciiOf(clean) : clean
}

export const textOf = (line: Line): string => line.map(({ text }) => text).join("")

/** The spans up to a width; without spaces at the end. */
export const fitLine = (line: Line, columns: number, ascii: boolean): Line => {
  const spans: Array<Span> = []
  let room = columns
  for (const span of line) {
    if (room <= 0) break
    const text = chop(shown(span.text, ascii), room)
    if (text === "") continue
    room -= columnsOf(text)
    spans.push({ ...span, text })
  }
  while (spans.length > 0) {
    const last = spans.at(-1)
    const text = last?.text.trimEnd() ?? ""
    if (last === undefined || text === last.text) break
    spans.pop()
    if (text !== "") spans.push({ ...last, text })
  }
  // Joined, characters may form a wider one than they were apart.
  const whole = textOf(spans)
  return columnsOf(whole) <= columns ? spans : [{ text: chop(whole, columns) }]
}

/** The line with its styles as a terminal takes it. */
export const painted = (line: Line, styles: Readonly<Record<StyleName, Style>>): string =>
  line.map(({ style, text }) => (style === undefined ? text : styles[style](text))).join("")

/** A text on the left and a text on the right, with spaces between them. The right one is dropped if there is no room. */
export const spread = (left: Line, right: Line, columns: number): Line => {
  const used = columnsOf(textOf(left))
  const room = columns - used - columnsOf(textOf(right))
  return room < 1 ? left : [...left, { text: " ".repeat(room) }, ...right]
}

/** `-- title -------`. */
export const rule = (title: string, columns: number): Line => {
  const head = title === "" ? "" : `-- ${title} `
  return [{ text: `${head}${"-".repeat(Math.max(0, columns - columnsOf(head)))}`, style: "dim" }]
}
