/** What the live screen shows and where its user is: the one value that frames are made of. */
import type { TaskId } from "../../domain/task/Task.ts"
import type { TopRow, TopView } from "../../programs/top/Look.ts"
import type { TailText } from "../../programs/top/OutputTail.ts"
import { everything, type Filter } from "./Filter.ts"

/** The words of a command after `beat`. */
export type Words = ReadonlyArray<string>

/** What is shown of the selected task. */
export type Pane = "output" | "diff" | "facts"
export const panes: ReadonlyArray<Pane> = ["output", "diff", "facts"]

export interface Pager {
  readonly kind: "pager"
  readonly pane: Pane
  readonly taskId: TaskId
  /** Stay at the end while more comes. */
  readonly follow: boolean
  readonly wrap: boolean
  /** The number of the first line that is shown, where it does not follow. */
  readonly top: number
  readonly search: string
  /** The number of the line that was found last. */
  readonly found: number | null
  /** The search that is being typed; null: none. */
  readonly typing: string | null
}

type Mode =
  | { readonly kind: "list" }
  /** Asks whether these commands are to be run. `strict`: only `y` is a yes. */
  | { readonly kind: "confirm"; readonly commands: ReadonlyArray<Words>; readonly strict: boolean }
  | { readonly kind: "filter"; readonly text: string }
  /** A command whose last word is being typed. `hint`: what it answers. */
  | { readonly kind: "compose"; readonly before: Words; readonly text: string; readonly hint: string | null }
  | { readonly kind: "help"; readonly top: number }
  | Pager

export interface Message {
  readonly text: string
  readonly bad: boolean
}

/** What a command printed about a task, as lines. */
export interface PaneText {
  readonly taskId: TaskId
  readonly pane: Pane
  readonly lines: ReadonlyArray<string>
}

export interface TopState {
  readonly columns: number
  readonly rows: number
  readonly ascii: boolean
  /** Whether keys can come. */
  readonly keyboard: boolean
  /** Null before the first look. */
  readonly view: TopView | null
  readonly cursor: TaskId | null
  /** Where the cursor was last, for a task that is no longer shown. */
  readonly cursorAt: number
  readonly marked: ReadonlySet<TaskId>
  readonly pane: Pane
  readonly mode: Mode
  readonly filterText: string
  readonly filter: Filter
  /** Rows of each kind that are asked for. */
  readonly limit: number
  readonly output: { readonly taskId: TaskId; readonly text: TailText } | null
  readonly paneText: PaneText | null
  readonly message: Message | null
  /** The command that is being run. */
  readonly busy: string | null
  /** What keeps the database from being read. */
  readonly trouble: string | null
}

/** Rows of each kind that are loaded first, and how many more come when the cursor is near the end. */
const firstLimit = 50
export const mostRows = 1000

export const initial = (given: Pick<TopState, "columns" | "rows" | "ascii" | "keyboard">): TopState => ({
  ...given,
  view: null,
  cursor: null,
  cursorAt: 0,
  marked: new Set(),
  pane: "output",
  mode: { kind: "list" },
  filterText: "",
  filter: everything,
  limit: firstLimit,
  output: null,
  paneText: null,
  message: null,
  busy: null,
  trouble: null
})

/** All rows in the order of the screen. */
export const rowsOf = ({ view }: Pick<TopState, "view">): ReadonlyArray<TopRow> =>
  view === null ? [] : [...view.running, ...view.queued, ...view.ended]

export const selectedOf = (state: Pick<TopState, "view" | "cursor">): TopRow | null =>
  rowsOf(state).find(({ task }) => task.id === state.cursor) ?? null

/** The lines of the selected task that a pane shows, and the number of the first of them. */
export const paneLines = (
  state: Pick<TopState, "output" | "paneText">,
  taskId: TaskId,
  pane: Pane
): { readonly lines: ReadonlyArray<string>; readonly first: number } | null => {
  if (pane === "output") return state.output?.taskId === taskId ? state.output.text : null
  const { paneText } = state
  return paneText?.taskId === taskId && paneText.pane === pane ? { lines: paneText.lines, first: 0 } : null
}
