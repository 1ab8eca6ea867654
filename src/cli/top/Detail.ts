/** The selected task: its agent and directory, when it printed last, and its output, its diff or its facts. */
import type { TopRow } from "../../programs/top/Look.ts"
import { relative, shortSpan } from "../../text/FormatDuration.ts"
import type { StyleName } from "../framework/Style.ts"
import { plain } from "../output/TaskTable.ts"
import { type Line, rule, type Span } from "./Span.ts"
import { noteOf, stateOf, timeOf } from "./TaskLine.ts"
import { type Pane, paneLines, panes, selectedOf, type TopState } from "./TopState.ts"

/** The last two parts of a path, which are enough to recognize a project. */
const shortPath = (path: string): string => {
  const parts = path.split("/").filter((part) => part !== "")
  return parts.length <= 2 ? path : `.../${parts.slice(-2).join("/")}`
}

/** How fresh what is shown is: when it printed last, or when it ended. */
export const freshness = ({ task }: TopRow, state: Pick<TopState, "output">, now: number): string => {
  if (task.endedAt !== null) return `ended ${relative(task.endedAt, now)}`
  if (task.status === "queued") return `submitted ${relative(task.createdAt, now)}`
  const at = state.output?.taskId === task.id ? state.output.text.at : null
  return at === null ? "nothing printed yet" : `printed ${now - at < 1000 ? "now" : `${shortSpan(now - at)} ago`}`
}

const modelOf = ({ agent, model }: TopRow["task"]): string => plain(model === null ? agent : `${agent} ${model}`)

const styleOf = (pane: Pane, line: string): StyleName | undefined => {
  if (pane !== "diff") return undefined
  if (line.startsWith("+")) return "green"
  if (line.startsWith("-")) return "red"
  return line.startsWith("@@") ? "cyan" : undefined
}

/** A line of a pane, with the colours of a diff. */
export const paneLine = (pane: Pane, text: string): Line => [{ text, style: styleOf(pane, text) }]

const contents = (state: TopState, { task }: TopRow, height: number): ReadonlyArray<Line> => {
  const found = paneLines(state, task.id, state.pane)
  if (found === null) return []
  if (found.lines.length === 0) {
    const words = state.pane === "output" ? "no output" : "nothing to show"
    return [[{ text: ` (${words})`, style: "dim" }]]
  }
  // Of output the end is of interest, of the others the beginning.
  const lines = state.pane === "output" ? found.lines.slice(-height) : found.lines.slice(0, height)
  return lines.slice(0, Math.max(0, height)).map((text): Line => [{ text: " " }, ...paneLine(state.pane, text)])
}

/** Below the list: a rule that names the task, and what it printed. */
export const detailLines = (state: TopState, columns: number, height: number, now: number): ReadonlyArray<Line> => {
  const row = selectedOf(state)
  if (row === null || height < 3) return []
  const { task } = row
  const pane = state.pane === "output" ? "" : `${state.pane}  `
  const title = `${task.id}  ${modelOf(task)}  ${plain(shortPath(task.directory))}  ${pane}${freshness(row, state, now)}`
  return [rule(title, columns), ...contents(state, row, height - 1)]
}

const tabs = (state: TopState): ReadonlyArray<Span> =>
  panes.flatMap(
    (pane, index): ReadonlyArray<Span> => [
      { text: `  ${index + 1} ${pane}`, style: pane === state.pane ? "bold" : "dim" }
    ]
  )

/** Next to the list: the task in two lines, then the pane that is chosen. */
export const wideDetail = (state: TopState, columns: number, height: number, now: number): ReadonlyArray<Line> => {
  const row = selectedOf(state)
  if (row === null) return []
  const { task } = row
  const { style, word } = stateOf(row)
  const note = plain(noteOf(row, now))
  return [
    [
      { text: task.id, style: "bold" },
      { text: "  " },
      { text: word, style },
      { text: ` ${timeOf(task, now)}` },
      ...tabs(state)
    ],
    [{ text: plain(task.title) }],
    [{ text: `${modelOf(task)}  ${plain(shortPath(task.directory))}`, style: "dim" }],
    ...(note === "" ? [] : [[{ text: note, style: "yellow" }] satisfies Line]),
    rule(`${state.pane}, ${freshness(row, state, now)}`, columns),
    ...contents(state, row, height - 4 - (note === "" ? 0 : 1))
  ]
}
