/** Tasks as lines of a table, and the colours of their statuses. */

import { isAsking } from "../../domain/task/isAsking.ts"
import type { TaskStatus, TaskSummary } from "../../domain/task/Task.ts"
import { dollars } from "../../domain/usage/dollars.ts"
import type { TaskPage } from "../../programs/reports/taskPage.ts"
import { shortSpan } from "../../text/FormatDuration.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { type Style, type StyleName, stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"

const colours: Readonly<Record<TaskStatus, StyleName>> = {
  queued: "blue",
  running: "cyan",
  completed: "green",
  failed: "red",
  cancelled: "yellow"
}

export const statusStyle = (status: TaskStatus, screen: Screen): Style => stylesOf(screen)[colours[status]]

const styleOf = (task: TaskSummary, screen: Screen): Style =>
  isAsking(task) || task.frozenAt !== null ? stylesOf(screen).yellow : statusStyle(task.status, screen)

/** One line of plain text: no control bytes, no line breaks. */
export const plain = (text: string): string => sanitize(text).replace(/\s+/g, " ").trim()

/** A task whose dependency was not met; `beat pipeline status` uses the same word for its step. */
const isSkipped = (task: TaskSummary): boolean => task.status === "cancelled" && task.cause === "dependency-failed"

/** Its status in one word. */
export const statusWord = (task: TaskSummary): string =>
  isSkipped(task) ? "skipped" : task.frozenAt !== null ? "frozen" : isAsking(task) ? "asks" : task.status

/** Classes that add nothing to the cause. */
export const vague: ReadonlySet<string> = new Set(["agent", "unknown"])

/** The last column of a list: why a task ended badly, otherwise empty. */
export const remark = (task: TaskSummary): string => {
  if (task.retriedBy !== null) return "tried again"
  if (task.status === "failed") {
    // The class says more than that the agent reported it.
    const told = task.failureClass !== null && !vague.has(task.failureClass)
    if (told && (task.cause === "agent-error" || task.cause === "exit")) return task.failureClass ?? ""
    if (task.cause !== null && task.cause !== "exit") return task.cause
  }
  if (task.status === "failed" && task.exitCode !== null) return `exit ${task.exitCode}`
  if (task.status === "queued" && task.waitingOn > 0) {
    return task.waitingOn === 1 ? "waits for 1 task" : `waits for ${task.waitingOn} tasks`
  }
  if (isAsking(task)) return task.asks === 1 ? "needs input" : `${task.asks} questions`
  if (task.parkedAt !== null && task.status === "queued") return "parked"
  if (task.spare && task.status === "queued") return "spare"
  if (isSkipped(task)) return "dependency"
  if (task.status === "running" && task.cancelRequestedAt !== null) return "ending"
  return ""
}

/** The place of the cost among the columns. */
const costAt = 6

/** How long the task has run or took; empty for a task that never started. */
const length = (task: TaskSummary, now: number): string =>
  task.startedAt === null ? "" : shortSpan((task.endedAt ?? now) - task.startedAt)

const columns: ReadonlyArray<Column> = [
  { title: "ID" },
  { title: "STATUS" },
  { title: "PRI", dropAt: 1 },
  { title: "AGENT", dropAt: 3, shrinkTo: 6 },
  { title: "AGE", align: "right", dropAt: 4 },
  { title: "TOOK", align: "right", dropAt: 0 },
  { title: "COST", align: "right", dropAt: -1 },
  { title: "NOTE", dropAt: 2, shrinkTo: 6 },
  { title: "TASK", shrinkTo: 8 }
]

/** The cost that the agent reported; nothing of an agent that counts over its session, since that is not the cost of this task. */
const cost = ({ usage }: TaskSummary): string =>
  usage === null || usage.costUsd === null || usage.cumulative ? "" : dollars(usage.costUsd)

/** One line for each task under a line of titles; the title of the task gets the remaining width. */
export const taskTable = (
  tasks: ReadonlyArray<TaskSummary>,
  now: number,
  screen: Screen,
  { budgeted, looping, paused, starting }: Pick<TaskPage, "budgeted" | "looping" | "paused" | "starting"> = {
    budgeted: [],
    looping: [],
    paused: [],
    starting: []
  }
): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  const budgets = new Map(budgeted.map(({ budget, id }) => [id, `budget ${budget}`]))
  const held = new Map([...paused.map((id) => [id, "paused"] as const), ...looping.map((id) => [id, "loop"] as const)])
  // Without any cost there is no column for it.
  const costs = tasks.some((task) => cost(task) !== "")
  const shown = <A>(cells: ReadonlyArray<A>): ReadonlyArray<A> => cells.filter((_, at) => costs || at !== costAt)
  return table(
    shown(columns),
    tasks.map((task) =>
      shown([
        { text: task.id, style: bold },
        { text: starting.includes(task.id) ? "starting" : statusWord(task), style: styleOf(task, screen) },
        { text: task.priority, style: dim },
        { text: plain(task.agent) },
        { text: shortSpan(now - task.createdAt), style: dim },
        { text: length(task, now) },
        { text: cost(task), style: dim },
        {
          text: held.get(task.id) ?? plain(budgets.get(task.id) ?? remark(task)),
          style: dim
        },
        { text: plain(task.title) }
      ])
    ),
    screen.columns,
    dim
  )
}
