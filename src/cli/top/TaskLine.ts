/** One task as one line of the live screen: its state in a word or a letter, its time, and what it waits for. */

import { windowWords } from "../../domain/limits/Window.ts"
import { questionName } from "../../domain/questions/Question.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { dollars } from "../../domain/usage/dollars.ts"
import { subjectOf } from "../../programs/gates/gateWords.ts"
import { asksPerson, type TopRow, type Wait } from "../../programs/top/Look.ts"
import { bytes, moment, relative, shortSpan } from "../../text/FormatDuration.ts"
import type { StyleName } from "../framework/Style.ts"
import { plain, remark } from "../output/TaskTable.ts"
import { chop, columnsOf, type Line, padEnd, padStart } from "./Span.ts"

export interface RowState {
  readonly word: string
  readonly letter: string
  readonly style: StyleName
}

/** Every state that a row may have. */
export const rowStates = {
  starting: { word: "starting", letter: "S", style: "cyan" },
  running: { word: "running", letter: "R", style: "cyan" },
  ending: { word: "ending", letter: "E", style: "yellow" },
  asks: { word: "asks", letter: "?", style: "yellow" },
  lost: { word: "lost", letter: "!", style: "red" },
  stopped: { word: "stopped", letter: "!", style: "red" },
  queued: { word: "queued", letter: "Q", style: "blue" },
  blocked: { word: "blocked", letter: "B", style: "blue" },
  parked: { word: "parked", letter: "L", style: "yellow" },
  frozen: { word: "frozen", letter: "Z", style: "yellow" },
  paused: { word: "paused", letter: "P", style: "yellow" },
  completed: { word: "completed", letter: "C", style: "green" },
  failed: { word: "failed", letter: "F", style: "red" },
  cancelled: { word: "cancelled", letter: "X", style: "yellow" },
  skipped: { word: "skipped", letter: "K", style: "yellow" }
} as const satisfies Record<string, RowState>

export const stateOf = (row: TopRow): RowState => {
  const { neglect, starting, task, wait } = row
  switch (task.status) {
    case "running":
      if (neglect !== null) return neglect.reason === "worker-stopped" ? rowStates.stopped : rowStates.lost
      if (task.cancelRequestedAt !== null) return rowStates.ending
      if (task.frozenAt !== null) return rowStates.frozen
      if (asksPerson(row)) return rowStates.asks
      return starting ? rowStates.starting : rowStates.running
    case "queued":
      if (wait?.kind === "tasks") return rowStates.blocked
      if (asksPerson(row)) return rowStates.asks
      if (wait?.kind === "gate") return rowStates.paused
      return wait?.kind === "limit" || task.parkedAt !== null ? rowStates.parked : rowStates.queued
    case "cancelled":
      return task.cause === "dependency-failed" ? rowStates.skipped : rowStates.cancelled
    default:
      return rowStates[task.status]
  }
}

/** `14:30`, with the day where it is another one. */
export const clockOf = (at: number, now: number): string => {
  const text = moment(at)
  return text.slice(0, 10) === moment(now).slice(0, 10) ? text.slice(11, 16) : text.slice(5, 16)
}

const waitWords = (wait: Wait, now: number): string => {
  switch (wait.kind) {
    case "tasks": {
      const more = wait.count > 1 ? ` and ${wait.count - 1} more` : ""
      return wait.first === null ? `waits: ${wait.count} tasks` : `waits: ${wait.first}${more}`
    }
    case "time":
      return `starts ${relative(wait.at, now)}`
    case "gate":
      return `${subjectOf(wait.gate)} paused${wait.gate.until === null ? "" : ` until ${clockOf(wait.gate.until, now)}`}`
    case "loop":
      return `waits: loop ${wait.loop}`
    case "group":
      return `waits: group ${wait.group} is full (${wait.running} of ${wait.limit})`
    case "limit":
      return `waits: ${windowWords({ name: wait.window, family: "" })} until ${clockOf(wait.opensAt, now)}`
    case "asks":
      return wait.question === null ? "needs input" : `${questionName(wait.question.id)}: ${wait.question.text}`
    case "budget":
      return `waits: budget ${wait.budget}${wait.opensAt === null ? "" : ` until ${clockOf(wait.opensAt, now)}`}`
    case "workspace":
      return `waits: ${wait.by} works in its workspace`
    case "disk":
      return `waits: workspaces hold ${bytes(wait.bytes)} of ${bytes(wait.maxBytes)}`
  }
}

/** Why it waits, or why it ended badly; the empty text where there is nothing to say. */
export const noteOf = ({ neglect, task, wait }: TopRow, now: number): string => {
  if (neglect !== null) {
    const pid = neglect.pid === null ? "" : ` (pid ${neglect.pid})`
    return neglect.reason === "worker-stopped"
      ? `its worker is stopped${pid}`
      : neglect.reason === "worker-lost"
        ? `its worker is gone${pid}`
        : "its worker has not been seen for minutes"
  }
  if (wait !== null) return waitWords(wait, now)
  if (task.status === "running") return ""
  const reset = task.failureResetAt === null ? "" : `, resets ${clockOf(task.failureResetAt, now)}`
  return `${remark(task)}${reset}`
}

/** How long it has been running or waiting, or how long it took. */
export const timeOf = ({ createdAt, endedAt, startedAt, status }: TopRow["task"], now: number): string => {
  const since = status === "queued" || startedAt === null ? createdAt : startedAt
  const length = (endedAt ?? now) - since
  return length < 1000 ? "0s" : shortSpan(length)
}

const costOf = ({ usage }: TopRow["task"]): string =>
  usage === null || usage.costUsd === null || usage.cumulative ? "" : dollars(usage.costUsd)

/** The cursor, a mark, or both. */
const signOf = (id: TaskId, cursor: TaskId | null, marked: ReadonlySet<TaskId>): string =>
  id === cursor ? (marked.has(id) ? "+" : ">") : marked.has(id) ? "*" : " "

const noteOrTitle = (row: TopRow, now: number): string => {
  const note = plain(noteOf(row, now))
  return note === "" ? plain(row.task.title) : `${note}: ${plain(row.task.title)}`
}

export interface LineOptions {
  readonly columns: number
  readonly now: number
  readonly cursor: TaskId | null
  readonly marked: ReadonlySet<TaskId>
}

export const titlesLine = (): Line => [{ text: ` ${"ID".padEnd(12)}  STATE      AGENT     TIME  TASK`, style: "dim" }]

/** `>x2m7q4abk3v9  running    claude   12m  fix the failing test` */
export const taskLine = (row: TopRow, { columns, cursor, marked, now }: LineOptions): Line => {
  const { task } = row
  const { style, word } = stateOf(row)
  const selected = task.id === cursor
  const cost = costOf(task)
  const room = columns - 42
  const withCost = cost !== "" && room >= 20
  const text = noteOrTitle(row, now)
  return [
    { text: signOf(task.id, cursor, marked), style: "bold" },
    { text: task.id, style: selected ? "bold" : undefined },
    { text: "  " },
    { text: padEnd(word, 11), style },
    { text: padEnd(plain(task.agent), 8) },
    { text: padStart(timeOf(task, now), 6) },
    { text: "  " },
    ...(withCost
      ? [{ text: padEnd(chop(text, room - columnsOf(cost) - 1), room - columnsOf(cost)) }, { text: cost }]
      : [{ text }])
  ]
}

/** `>x2m7 R claude 12m fix the failing test`: for narrow screens. */
export const narrowLine = (row: TopRow, { cursor, marked, now }: LineOptions): Line => {
  const { task } = row
  const { letter, style } = stateOf(row)
  return [
    { text: signOf(task.id, cursor, marked), style: "bold" },
    { text: `${task.id.slice(0, 4)} `, style: task.id === cursor ? "bold" : undefined },
    { text: letter, style },
    { text: ` ${padEnd(plain(task.agent), 6)} ${padStart(timeOf(task, now), 3)} ${noteOrTitle(row, now)}` }
  ]
}
