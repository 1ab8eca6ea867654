/** The live screen as lines: a pure function of its state, the time and nothing else. */
import { chromeOf, headOf, noteLine } from "./Chrome.ts"
import { detailLines, wideDetail } from "./Detail.ts"
import { helpLines } from "./HelpPage.ts"
import { listLines } from "./ListPart.ts"
import { pagerLines } from "./PagerPage.ts"
import { columnsOf, fitLine, type Line, textOf } from "./Span.ts"
import { titlesLine } from "./TaskLine.ts"
import { rowsOf, type TopState } from "./TopState.ts"

/** Below this the list has the whole screen, and states are letters. */
const narrowBelow = 60

/** At this width and above, the details are next to the list. */
const wideFrom = 100

/** Fewer lines have no place for details below the list. */
const detailFrom = 14

const bodyOf = (state: TopState, height: number, now: number): ReadonlyArray<Line> => {
  const { columns } = state
  const options = { columns, now, cursor: state.cursor, marked: state.marked }
  if (state.view === null) return []
  if (rowsOf(state).length === 0) {
    const filtered = state.filterText !== ""
    return [
      [{ text: filtered ? " No task fits the filter." : " No tasks yet." }],
      [],
      [{ text: filtered ? " esc removes it" : ' beat run "fix the failing test"    in another terminal', style: "dim" }]
    ]
  }
  if (columns < narrowBelow) return listLines(state.view, { ...options, height, form: "narrow" })
  const titles = height > 3 ? [titlesLine()] : []
  const room = height - titles.length
  if (columns >= wideFrom) {
    const left = Math.min(64, Math.floor(columns * 0.47))
    const list = listLines(state.view, { ...options, columns: left, height: room, form: "wide" })
    const right = wideDetail(state, columns - left - 3, height, now)
    return Array.from({ length: height }, (_, row): Line => {
      const own = row < titles.length ? titles[row] : list[row - titles.length]
      const line = fitLine(own ?? [], left, state.ascii)
      const gap = " ".repeat(Math.max(0, left - columnsOf(textOf(line))))
      return [...line, { text: `${gap} | `, style: "dim" }, ...(right[row] ?? [])]
    })
  }
  if (height < detailFrom) return [...titles, ...listLines(state.view, { ...options, height: room, form: "full" })]
  const list = listLines(state.view, { ...options, height: Math.ceil(room / 2), form: "full" })
  return [...titles, ...list, ...detailLines(state, columns, room - list.length, now)]
}

/** Exactly `rows` lines, none wider than `columns`. */
export const frameLines = (state: TopState, now: number): ReadonlyArray<Line> => {
  const { columns, rows } = state
  const fitted = (line: Line) => fitLine(line, columns, state.ascii)
  const { mode } = state
  const foot = chromeOf(state)
  const note = noteLine(state)
  const notes = note === null || rows < 4 ? [] : [note]
  const head = mode.kind === "pager" || mode.kind === "help" ? null : headOf(state, now)
  const height = Math.max(0, rows - (head === null ? 0 : 1) - notes.length - 1)
  const body =
    mode.kind === "pager"
      ? pagerLines(state, mode, height, now)
      : mode.kind === "help"
        ? helpLines(columns, height, mode.top)
        : bodyOf(state, height, now)
  const filled = Array.from({ length: height }, (_, row): Line => body[row] ?? [])
  // With two lines or one there is no room for keys.
  const lines = [...(head === null ? [] : [head]), ...filled, ...notes, foot]
  return lines.slice(0, rows).map(fitted)
}

/** The text of it, without styles. */
export const frame = (state: TopState, now: number): ReadonlyArray<string> => frameLines(state, now).map(textOf)
