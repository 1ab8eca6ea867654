/** The list of tasks: what runs, what waits and what has ended, with the cursor always in sight. */
import type { TopRow, TopView } from "../../programs/top/Look.ts"
import { type Line, rule } from "./Span.ts"
import { type LineOptions, narrowLine, taskLine } from "./TaskLine.ts"

interface ListOptions extends LineOptions {
  readonly height: number
  /** `narrow`: no rules, states as letters. `wide`: rules before what waits and before what has ended. */
  readonly form: "narrow" | "full" | "wide"
}

/** The lines from `height` on around the cursor: whole where they fit. */
const around = (lines: ReadonlyArray<Line>, cursorAt: number, height: number): ReadonlyArray<Line> => {
  const top = Math.max(0, Math.min(cursorAt - Math.floor(height / 2), lines.length - height))
  return lines.slice(top, top + height)
}

export const listLines = (view: TopView, options: ListOptions): ReadonlyArray<Line> => {
  const { columns, cursor, form, height } = options
  const lines: Array<Line> = []
  let cursorAt = 0
  const add = (rows: ReadonlyArray<TopRow>, title: string) => {
    if (rows.length > 0 && title !== "" && form !== "narrow" && lines.length > 0) lines.push(rule(title, columns))
    for (const row of rows) {
      if (row.task.id === cursor) cursorAt = lines.length
      lines.push(form === "narrow" ? narrowLine(row, options) : taskLine(row, options))
    }
  }
  add(view.running, "")
  add(view.queued, form === "wide" ? "waits" : "")
  add(view.ended, "ended")
  if (view.more) lines.push([{ text: " more tasks exist: move down, or filter with /", style: "dim" }])
  return around(lines, cursorAt, height)
}
