/** Moving about in the output, the diff or the facts of one task on the whole screen. */
import type { TaskSummary } from "../../domain/task/Task.ts"
import type { Press } from "./Keys.ts"
import { type Pager, type Pane, paneLines, panes, type TopState } from "./TopState.ts"

export const openPager = (state: TopState, { id }: Pick<TaskSummary, "id">, pane: Pane): TopState => ({
  ...state,
  mode: {
    kind: "pager",
    pane,
    taskId: id,
    follow: pane === "output",
    wrap: false,
    top: 0,
    search: "",
    found: null,
    typing: null
  }
})

/** Lines of the page: without the head and the foot. */
const pageOf = ({ rows }: Pick<TopState, "rows">): number => Math.max(1, rows - 2)

/** The number of the first line that is shown where it follows the end and wraps nothing. */
const topAtEnd = (state: TopState, pager: Pager): number => {
  const text = paneLines(state, pager.taskId, pager.pane)
  return text === null ? 0 : Math.max(text.first, text.first + text.lines.length - pageOf(state))
}

/** The furthest that it can be scrolled: wrapped lines may take the whole screen each. */
const lastTop = (state: TopState, pager: Pager): number => {
  const text = paneLines(state, pager.taskId, pager.pane)
  return pager.wrap && text !== null ? text.first + Math.max(0, text.lines.length - 1) : topAtEnd(state, pager)
}

/** The first line that is shown: lines at the beginning may have been dropped since it was chosen. */
export const topOf = (state: TopState, pager: Pager): number => {
  const first = paneLines(state, pager.taskId, pager.pane)?.first ?? 0
  return pager.follow ? topAtEnd(state, pager) : Math.max(first, Math.min(pager.top, lastTop(state, pager)))
}

/** The number of the next line with the text, from a line on, in a direction; null: there is none. */
const findLine = (
  text: { readonly lines: ReadonlyArray<string>; readonly first: number },
  search: string,
  from: number,
  step: 1 | -1
): number | null => {
  const wanted = search.toLowerCase()
  for (let at = from - text.first; at >= 0 && at < text.lines.length; at += step) {
    if (text.lines[at]?.toLowerCase().includes(wanted) === true) return at + text.first
  }
  return null
}

const searched = (state: TopState, pager: Pager, from: number, step: 1 | -1): TopState => {
  const text = paneLines(state, pager.taskId, pager.pane)
  const none: TopState = {
    ...state,
    mode: { ...pager, typing: null },
    message: { text: `Not found: ${pager.search}`, bad: true }
  }
  if (pager.search === "" || text === null) return { ...state, mode: { ...pager, typing: null } }
  const last = text.first + text.lines.length - 1
  // Past an end it begins at the other one.
  const found =
    findLine(text, pager.search, from, step) ?? findLine(text, pager.search, step === 1 ? text.first : last, step)
  if (found === null) return none
  const top = Math.max(text.first, found - Math.floor(pageOf(state) / 3))
  return { ...state, mode: { ...pager, typing: null, found, top, follow: false } }
}

const scrolled = (state: TopState, pager: Pager, by: number): TopState => {
  const end = lastTop(state, pager)
  const top = Math.max(0, topOf(state, pager) + by)
  // At the end of the output it follows again; a diff and facts have nothing to follow.
  const follow = pager.pane === "output" && by > 0 && top >= end
  return { ...state, mode: { ...pager, top: Math.min(top, end), follow } }
}

export const pagerPress = (state: TopState, pager: Pager, press: Press): TopState => {
  if (pager.typing !== null) return typing(state, pager, pager.typing, press)
  const page = pageOf(state)
  const set = (more: Partial<Pager>): TopState => ({ ...state, mode: { ...pager, ...more } })
  switch (press.name) {
    case "j":
    case "down":
      return scrolled(state, pager, 1)
    case "k":
    case "up":
      return scrolled(state, pager, -1)
    case "pagedown":
    case "space":
      return scrolled(state, pager, page)
    case "pageup":
      return scrolled(state, pager, -page)
    case "g":
    case "home":
      return set({ top: 0, follow: false })
    case "G":
    case "end":
      return scrolled(state, pager, Number.MAX_SAFE_INTEGER / 2)
    case "f":
      return pager.follow ? set({ top: topOf(state, pager), follow: false }) : set({ follow: pager.pane === "output" })
    case "w":
      return set({ wrap: !pager.wrap })
    case "/":
      return set({ typing: "" })
    case "n":
      return searched(state, pager, pager.found === null ? topOf(state, pager) : pager.found + 1, 1)
    case "N":
      return searched(state, pager, pager.found === null ? topOf(state, pager) : pager.found - 1, -1)
    case "1":
    case "2":
    case "3":
    case "d": {
      const pane = press.name === "d" ? "diff" : (panes[Number(press.name) - 1] ?? "output")
      return pane === pager.pane ? state : openPager(state, { id: pager.taskId }, pane)
    }
    case "escape":
    case "left":
    case "q":
      return { ...state, mode: { kind: "list" } }
    default:
      return state
  }
}

const typing = (state: TopState, pager: Pager, text: string, press: Press): TopState => {
  if (press.name === "enter") {
    return searched(state, { ...pager, search: text === "" ? pager.search : text }, topOf(state, pager), 1)
  }
  const next = typed(text, press)
  return { ...state, mode: { ...pager, typing: next } }
}

/** The text after a key press; null if the user cancelled it. */
export const typed = (text: string, { name, text: more }: Press): string | null => {
  if (name === "escape" || name === "ctrl-c") return null
  if (name === "ctrl-u") return ""
  if (name === "backspace" || name === "ctrl-h") return Array.from(text).slice(0, -1).join("")
  return `${text}${more}`.slice(0, 500)
}
