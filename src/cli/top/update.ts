/** How a key press or news from the queue changes the screen, and which actions follow. */
import { questionName } from "../../domain/questions/Question.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { TopRow, TopView } from "../../programs/top/Look.ts"
import type { TailText } from "../../programs/top/OutputTail.ts"
import { questionWords } from "../output/QuestionText.ts"
import { again, cancelling, composed, interrupting, pausing, questionOf, retrying, targetsOf } from "./Actions.ts"
import { everything, type Filter } from "./Filter.ts"
import type { Press } from "./Keys.ts"
import { openPager, pagerPress, typed } from "./pagerPress.ts"
import {
  type Message,
  mostRows,
  type PaneText,
  panes,
  rowsOf,
  selectedOf,
  type TopState,
  type Words
} from "./TopState.ts"

export type TopEvent =
  | { readonly kind: "press"; readonly press: Press }
  | { readonly kind: "size"; readonly columns: number; readonly rows: number }
  | { readonly kind: "view"; readonly view: TopView }
  | { readonly kind: "output"; readonly taskId: TaskId; readonly text: TailText }
  | { readonly kind: "pane"; readonly text: PaneText }
  | { readonly kind: "trouble"; readonly text: string | null }
  | { readonly kind: "busy"; readonly text: string | null }
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "filter"; readonly text: string; readonly filter: Filter }

export type Wish =
  | { readonly kind: "quit" }
  | { readonly kind: "suspend" }
  | { readonly kind: "redraw" }
  | { readonly kind: "run"; readonly commands: ReadonlyArray<Words> }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "filter"; readonly text: string }

interface Updated {
  readonly state: TopState
  readonly wishes: ReadonlyArray<Wish>
}

const only = (state: TopState): Updated => ({ state, wishes: [] })

/** The cursor stays on its task when the task moves. If the task is gone, the cursor stays on its line. */
const withView = (state: TopState, view: TopView): TopState => {
  const rows = rowsOf({ view })
  const at = rows.findIndex(({ task }) => task.id === state.cursor)
  const cursorAt = at >= 0 ? at : Math.max(0, Math.min(state.cursorAt, rows.length - 1))
  // What is looked at in full is kept, also where the filter does not show it any more.
  const kept = state.mode.kind === "pager" ? state.cursor : null
  const cursor = at >= 0 ? state.cursor : (kept ?? rows[cursorAt]?.task.id ?? null)
  const ids = new Set(rows.map(({ task }) => task.id))
  const marked = new Set(Array.from(state.marked).filter((id) => ids.has(id)))
  return { ...state, view, cursor, cursorAt, marked, trouble: null }
}

/** Rows before the end at which more of them are loaded. */
const nearEnd = 10

const moveTo = (state: TopState, to: number): TopState => {
  const rows = rowsOf(state)
  const cursorAt = Math.max(0, Math.min(to, rows.length - 1))
  const grow = state.view?.more === true && cursorAt >= rows.length - nearEnd
  return {
    ...state,
    cursorAt,
    cursor: rows[cursorAt]?.task.id ?? null,
    limit: grow ? Math.min(mostRows, state.limit + 100) : state.limit
  }
}

const say = (state: TopState, text: string): Updated => only({ ...state, message: { text, bad: true } })

const ask = (state: TopState, commands: ReadonlyArray<Words>, strict: boolean, none: string): Updated =>
  commands.length === 0
    ? say(state, none)
    : only({ ...state, mode: { kind: "confirm", commands, strict }, message: null })

const compose = (state: TopState, before: Words, hint: string | null): Updated =>
  only({ ...state, mode: { kind: "compose", before, text: "", hint }, message: null })

const answer = (state: TopState, selected: TopRow | null): Updated => {
  const question = selected === null ? null : questionOf(selected)
  return question === null
    ? say(state, "It asks nothing.")
    : compose(state, ["answer", questionName(question.id)], questionWords(question))
}

const toggled = (marked: ReadonlySet<TaskId>, id: TaskId): ReadonlySet<TaskId> => {
  const next = new Set(marked)
  if (!next.delete(id)) next.add(id)
  return next
}

const backOut = (state: TopState): Updated => {
  if (state.marked.size > 0) return only({ ...state, marked: new Set() })
  if (state.filterText !== "") return only({ ...state, filterText: "", filter: everything })
  return only(state)
}

const listPress = (state: TopState, { name }: Press): Updated => {
  const selected = selectedOf(state)
  const page = Math.max(1, Math.floor(state.rows / 2))
  switch (name) {
    case "j":
    case "down":
      return only(moveTo(state, state.cursorAt + 1))
    case "k":
    case "up":
      return only(moveTo(state, state.cursorAt - 1))
    case "g":
    case "home":
      return only(moveTo(state, 0))
    case "G":
    case "end":
      return only(moveTo(state, Number.MAX_SAFE_INTEGER))
    case "pagedown":
      return only(moveTo(state, state.cursorAt + page))
    case "pageup":
      return only(moveTo(state, state.cursorAt - page))
    case "1":
    case "2":
    case "3":
      return only({ ...state, pane: panes[Number(name) - 1] ?? "output" })
    case "enter":
      return only(selected === null ? state : openPager(state, selected.task, state.pane))
    case "d":
      return only(selected === null ? state : openPager(state, selected.task, "diff"))
    case "c":
      return ask(state, cancelling(targetsOf(state), false), true, "It has ended: there is nothing to cancel.")
    case "C":
      return ask(state, cancelling(targetsOf(state), true), true, "No task is selected.")
    case "r":
      return ask(state, again(targetsOf(state)), false, "It has not ended: only then it can be resumed or retried.")
    case "R":
      return ask(state, retrying(targetsOf(state)), false, "It has not ended: only then it can be retried.")
    case "p":
      return ask(state, pausing(state), false, "")
    case "s":
      return selected === null ? only(state) : compose(state, ["send", selected.task.id], null)
    case "a":
      return answer(state, selected)
    case "i": {
      const commands = selected === null ? [] : interrupting(selected)
      return ask(state, commands, true, "It does not run: there is no turn to end.")
    }
    case "space":
      if (selected === null) return only(state)
      return only(moveTo({ ...state, marked: toggled(state.marked, selected.task.id) }, state.cursorAt + 1))
    case "/":
      return only({ ...state, mode: { kind: "filter", text: state.filterText } })
    case "y":
      return selected === null
        ? only(state)
        : {
            state: {
              ...state,
              message: { text: `Copied, where the terminal allows it: ${selected.task.id}`, bad: false }
            },
            wishes: [{ kind: "copy", text: selected.task.id }]
          }
    case "?":
      return only({ ...state, mode: { kind: "help", top: 0 } })
    case "escape":
      return backOut(state)
    case "q":
      return { state, wishes: [{ kind: "quit" }] }
    default:
      return only(state)
  }
}

const confirmPress = (
  state: TopState,
  { commands, strict }: Extract<TopState["mode"], { kind: "confirm" }>,
  { name }: Press
): Updated => {
  const list: TopState = { ...state, mode: { kind: "list" } }
  if (name === "y" || (name === "enter" && !strict)) {
    return { state: { ...list, marked: new Set() }, wishes: [{ kind: "run", commands }] }
  }
  const leaves = name === "n" || name === "escape" || name === "q" || name === "ctrl-c"
  return only(leaves ? { ...list, message: { text: "Nothing was done.", bad: false } } : state)
}

const composePress = (state: TopState, mode: Extract<TopState["mode"], { kind: "compose" }>, press: Press): Updated => {
  const list: TopState = { ...state, mode: { kind: "list" } }
  if (press.name === "enter") {
    // The command stays on the screen until there is something to run.
    if (mode.text.trim() === "") return only(state)
    return { state: list, wishes: [{ kind: "run", commands: [composed(mode.before, mode.text)] }] }
  }
  const next = typed(mode.text, press)
  return only(
    next === null
      ? { ...list, message: { text: "Nothing was done.", bad: false } }
      : { ...state, mode: { ...mode, text: next } }
  )
}

const filterPress = (state: TopState, text: string, press: Press): Updated => {
  const list: TopState = { ...state, mode: { kind: "list" } }
  if (press.name === "enter") return { state: list, wishes: [{ kind: "filter", text }] }
  const next = typed(text, press)
  return only(next === null ? list : { ...state, mode: { kind: "filter", text: next } })
}

const helpPress = (state: TopState, top: number, { name }: Press): Updated => {
  const scroll = (by: number) => only({ ...state, mode: { kind: "help", top: Math.max(0, Math.min(100, top + by)) } })
  switch (name) {
    case "j":
    case "down":
      return scroll(1)
    case "k":
    case "up":
      return scroll(-1)
    case "pagedown":
    case "space":
      return scroll(Math.max(1, state.rows - 3))
    case "pageup":
      return scroll(-Math.max(1, state.rows - 3))
    default:
      return only({ ...state, mode: { kind: "list" } })
  }
}

const pressed = (before: TopState, press: Press): Updated => {
  if (press.name === "ctrl-l") return { state: before, wishes: [{ kind: "redraw" }] }
  if (press.name === "ctrl-z") return { state: before, wishes: [{ kind: "suspend" }] }
  const { mode } = before
  const typing =
    mode.kind === "filter" ||
    mode.kind === "compose" ||
    mode.kind === "confirm" ||
    (mode.kind === "pager" && mode.typing !== null)
  if (press.name === "ctrl-c" && !typing) return { state: before, wishes: [{ kind: "quit" }] }
  const state: TopState = before.message === null ? before : { ...before, message: null }
  switch (mode.kind) {
    case "list":
      return listPress(state, press)
    case "confirm":
      return confirmPress(state, mode, press)
    case "filter":
      return filterPress(state, mode.text, press)
    case "compose":
      return composePress(state, mode, press)
    case "help":
      return helpPress(state, mode.top, press)
    case "pager":
      return only(pagerPress(state, mode, press))
  }
}

export const update = (state: TopState, event: TopEvent): Updated => {
  switch (event.kind) {
    case "press":
      return pressed(state, event.press)
    case "size":
      return only({ ...state, columns: event.columns, rows: event.rows })
    case "view":
      return only(withView(state, event.view))
    case "output":
      return only({ ...state, output: { taskId: event.taskId, text: event.text } })
    case "pane":
      return only({ ...state, paneText: event.text })
    case "trouble":
      return only({ ...state, trouble: event.text })
    case "busy":
      return only({ ...state, busy: event.text })
    case "message":
      return only({ ...state, message: event.message })
    case "filter":
      return only({ ...state, filterText: event.text, filter: event.filter, cursorAt: 0, cursor: null })
  }
}
