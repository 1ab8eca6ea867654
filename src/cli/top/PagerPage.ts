/** The output, the diff or the facts of one task on the whole screen. */
import { plain } from "../output/TaskTable.ts"
import { freshness, paneLine } from "./Detail.ts"
import { topOf } from "./pagerPress.ts"
import { chop, columnsOf, type Line, type Span, shown, spread } from "./Span.ts"
import { type Pager, paneLines, selectedOf, type TopState } from "./TopState.ts"

/** The pieces of a line that fit the screen one under the other. */
const wrapped = (text: string, columns: number): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let rest = text
  do {
    // A character that is wider than the screen has no place on it.
    const piece = chop(rest, columns) || rest.slice(0, 1)
    pieces.push(piece)
    rest = rest.slice(piece.length)
  } while (rest !== "")
  return pieces
}

const headOf = (state: TopState, pager: Pager, now: number, position: string): Line => {
  const row = selectedOf(state)
  const title: Span = { text: row === null ? "" : `  ${plain(row.task.title)}` }
  const fresh = row === null ? "" : `${freshness(row, state, now)}  `
  const right: Line = [{ text: `${fresh}${position}`, style: "dim" }]
  const left: Line = [{ text: ` ${pager.taskId}  ${pager.pane}`, style: "bold" }, title]
  const room = state.columns - columnsOf(`${fresh}${position}`) - 2
  const bare = left.reduce((sum, { text }) => sum + columnsOf(text), 0)
  const cut = bare <= room ? title.text : chop(title.text, Math.max(0, title.text.length - (bare - room)))
  return spread([{ text: ` ${pager.taskId}  ${pager.pane}`, style: "bold" }, { text: cut }], right, state.columns)
}

/** Lines from one on, or the last ones, as rows of the screen. */
const rowsFrom = (
  state: TopState,
  pager: Pager,
  text: { readonly lines: ReadonlyArray<string>; readonly first: number },
  height: number
): ReadonlyArray<Line> => {
  const piecesOf = (line: string) => (pager.wrap ? wrapped(shown(line, state.ascii), state.columns) : [line])
  const styled = (at: number, piece: string): Line =>
    at === pager.found
      ? [{ text: piece, style: "yellow" }]
      : pager.pane === "diff"
        ? paneLine("diff", piece)
        : [{ text: piece }]
  if (pager.follow) {
    const rows: Array<Line> = []
    for (let at = text.lines.length - 1; at >= 0 && rows.length < height; at -= 1) {
      const line = text.lines[at] ?? ""
      rows.unshift(...piecesOf(line).map((piece) => styled(at + text.first, piece)))
    }
    return rows.slice(-height)
  }
  const rows: Array<Line> = []
  for (let at = topOf(state, pager) - text.first; at < text.lines.length && rows.length < height; at += 1) {
    const line = text.lines[at] ?? ""
    rows.push(...piecesOf(line).map((piece) => styled(at + text.first, piece)))
  }
  return rows.slice(0, height)
}

export const pagerLines = (state: TopState, pager: Pager, height: number, now: number): ReadonlyArray<Line> => {
  const text = paneLines(state, pager.taskId, pager.pane)
  if (text === null) return [headOf(state, pager, now, "reading")]
  const last = text.first + text.lines.length
  const top = topOf(state, pager)
  const position = pager.follow ? "at the end" : `line ${Math.min(last, top + 1)} of ${last}`
  const empty: ReadonlyArray<Line> = [[{ text: "(nothing to show)", style: "dim" }]]
  const rows = text.lines.length === 0 ? empty : rowsFrom(state, pager, text, height - 1)
  return [headOf(state, pager, now, position), ...rows]
}
