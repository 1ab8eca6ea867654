/** The commands that keys stand for, as a person would type them after `beat`. */
import { isTerminal } from "../../domain/task/Task.ts"
import type { TopRow } from "../../programs/top/Look.ts"
import { rowsOf, selectedOf, type TopState, type Words } from "./TopState.ts"

/** The marked tasks in the order of the screen; where none is marked, the selected one. */
export const targetsOf = (state: TopState): ReadonlyArray<TopRow> => {
  const marked = rowsOf(state).filter(({ task }) => state.marked.has(task.id))
  const selected = selectedOf(state)
  return marked.length > 0 ? marked : selected === null ? [] : [selected]
}

/** One command for all of them. A task that has ended may have submitted others that have not. */
export const cancelling = (rows: ReadonlyArray<TopRow>, tree: boolean): ReadonlyArray<Words> => {
  const ids = rows.filter(({ task }) => tree || !isTerminal(task.status)).map(({ task }) => task.id)
  return ids.length === 0 ? [] : [["cancel", ...(tree ? ["--tree"] : []), ...ids]]
}

const endedOf = (rows: ReadonlyArray<TopRow>) => rows.filter(({ task }) => isTerminal(task.status))

const isFrozen = ({ task }: TopRow): boolean => task.frozenAt !== null

/** A task that has a session is continued in it, and a task without one is retried. A frozen task continues where it is. */
export const again = (rows: ReadonlyArray<TopRow>): ReadonlyArray<Words> =>
  rows
    .filter((row) => isTerminal(row.task.status) || isFrozen(row))
    .map((row) => [row.task.sessionId === null && !isFrozen(row) ? "retry" : "resume", row.task.id])

export const retrying = (rows: ReadonlyArray<TopRow>): ReadonlyArray<Words> =>
  endedOf(rows).map(({ task }) => ["retry", task.id])

export const pausing = ({ view }: Pick<TopState, "view">): ReadonlyArray<Words> => [
  [view?.gates.some(({ scope }) => scope === "all") === true ? "resume" : "pause", "--all"]
]

/** The question of a task that asks a person; null: it asks nothing, or was answered a moment ago. */
export const questionOf = (row: TopRow) => (row.wait?.kind === "asks" ? row.wait.question : null)

/** Only a running agent has a turn that can be ended. */
export const interrupting = ({ task }: TopRow): ReadonlyArray<Words> =>
  task.status === "running" ? [["interrupt", task.id]] : []

/** The command with the text that was typed. The text is an argument even where it begins with a dash. */
export const composed = (before: Words, text: string): Words => [
  ...before,
  ...(text.startsWith("-") ? ["--"] : []),
  text
]

/** As a person types it in a shell. */
const quoted = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** `beat cancel x2m7q4abk3v9` */
export const commandText = (words: Words): string => `beat ${words.map(quoted).join(" ")}`
