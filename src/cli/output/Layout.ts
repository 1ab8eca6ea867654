/** Text laid out in columns that fit the screen, whatever the width of its characters. */
import truncatedWidth from "fast-string-truncated-width"

const styling = /\u001b\[[0-9;]*m/g

/** Columns that a text occupies; styling occupies none. */
export const widthOf = (text: string): number => truncatedWidth(text.replace(styling, "")).width

/** Half of a character at the end. */
const half = /[\ud800-\udbff]$/

/** The beginning of a plain text that fits. The library (3.0.3) may take one too many where the first character is not ASCII. */
const beginning = (text: string, columns: number): string => {
  const { index } = truncatedWidth(text, { limit: columns, ellipsis: "" })
  let kept = text.slice(0, index)
  while (kept !== "" && (half.test(kept) || widthOf(kept) > columns)) kept = kept.slice(0, -1)
  return kept
}

/** Cuts a plain text to at most `columns`, with an ellipsis in the place of the missing part. */
export const cut = (text: string, columns: number): string =>
  columns <= 0 ? "" : widthOf(text) <= columns ? text : `${beginning(text, columns - 1)}…`

export const pad = (text: string, columns: number, align: "left" | "right" = "left"): string => {
  const space = " ".repeat(Math.max(0, columns - widthOf(text)))
  return align === "left" ? text + space : space + text
}

/** Breaks a plain text into lines of at most `columns`, between words where it can. */
export const wrap = (text: string, columns: number): ReadonlyArray<string> =>
  text.split("\n").flatMap((paragraph) => {
    const lines: Array<string> = []
    let line = ""
    for (let word of paragraph.split(" ")) {
      const joined = line === "" ? word : `${line} ${word}`
      if (widthOf(joined) <= columns) {
        line = joined
        continue
      }
      if (line !== "") lines.push(line)
      while (widthOf(word) > columns) {
        const size = Math.max(1, beginning(word, columns).length)
        lines.push(word.slice(0, size))
        word = word.slice(size)
      }
      line = word
    }
    lines.push(line)
    return lines
  })

export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
  /** The smallest width to cut the column to; without it the column is never cut. */
  readonly shrinkTo?: number
  /** On a narrow screen, columns are dropped in this order, lowest first; without it the column is never dropped. */
  readonly dropAt?: number
}

interface Cell {
  readonly text: string
  readonly style?: (text: string) => string
}

const gap = 2

/** A table: a line of titles and one line for each row. Columns shrink, then go, until it fits `columns`. */
export const table = (
  spec: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  columns: number | null,
  heading: (text: string) => string
): ReadonlyArray<string> => {
  const natural = spec.map((column, at) =>
    Math.max(widthOf(column.title), ...rows.map((row) => widthOf(row[at]?.text ?? "")))
  )
  const shown = spec.map((column, at) => ({ column, at, width: natural[at] ?? 0 }))
  const total = () => shown.reduce((sum, { width }) => sum + width, 0) + gap * Math.max(0, shown.length - 1)
  if (columns !== null) {
    const least = () =>
      shown.reduce((sum, { column, width }) => sum + Math.min(width, column.shrinkTo ?? width), 0) +
      gap * Math.max(0, shown.length - 1)
    while (least() > columns) {
      const order = shown.map((entry) => entry.column.dropAt ?? Number.POSITIVE_INFINITY)
      const lowest = Math.min(...order)
      if (lowest === Number.POSITIVE_INFINITY) break
      shown.splice(order.indexOf(lowest), 1)
    }
    for (const entry of [...shown].reverse()) {
      const over = total() - columns
      if (over <= 0 || entry.column.shrinkTo === undefined) continue
      entry.width = Math.max(Math.min(entry.width, entry.column.shrinkTo), entry.width - over)
    }
  }
  const line = (cells: ReadonlyArray<Cell>) =>
    shown
      .map(({ column, at, width }, position) => {
        const cell = cells[at] ?? { text: "" }
        const short = cut(cell.text, width)
        const styled = cell.style === undefined ? short : cell.style(short)
        const last = position === shown.length - 1 && column.align !== "right"
        return last ? styled : pad(styled, width, column.align)
      })
      .join(" ".repeat(gap))
      .trimEnd()
  return [heading(line(spec.map(({ title }) => ({ text: title })))), ...rows.map(line)]
}
