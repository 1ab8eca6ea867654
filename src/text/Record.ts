/** Describes the results of one task for the agent that continues its work. */
import type { Checkpoint, GitHead } from "../domain/task/Checkpoint.ts"
import type { Task } from "../domain/task/Task.ts"
import { span } from "./FormatDuration.ts"
import { cutMiddle } from "./Middle.ts"
import { sanitize } from "./Sanitize.ts"

type RecordedTask = Pick<Task, "id" | "agent" | "title">

/** Bytes of each part at most; the answer gets what is left. */
const most = { error: 2000, diffStat: 3000, tail: 8000 } as const

/** Names of files at most. */
const mostFiles = 30

/** A name on a single line, whatever characters it contains. */
const inLine = (name: string): string => sanitize(name).replace(/\s+/g, " ")

const headWords = ({ branch, commit }: GitHead): string =>
  `${commit === null ? "no commit" : commit.slice(0, 12)} (${branch === null ? "no branch" : inLine(branch)})`

/** Changes that other tasks may have made are not reported as its own. */
const changesTitle = ({ alongside }: Checkpoint): string =>
  alongside.length === 0
    ? "Changes since its start"
    : `Changes since its start, by it or by others that ran in the same directory (${alongside.join(", ")})`

const gitWords = ({ after, before }: Checkpoint): ReadonlyArray<string> => {
  if (after === null) return []
  const now = headWords(after)
  const then = before === null ? null : headWords(before)
  return [`Git: ${then === null || then === now ? now : `${then} at its start, ${now} at its end`}`]
}

const filesOf = ({ after }: Checkpoint): ReadonlyArray<string> => {
  if (after === null || after.dirtyCount === 0) return []
  const shown = after.dirty.slice(0, mostFiles).map(inLine)
  const more = after.dirtyCount - shown.length
  return ["", `Not committed: ${after.dirtyCount}`, ...shown, ...(more > 0 ? [`and ${more} more`] : [])]
}

const part = (title: string, text: string | null, limit: number): ReadonlyArray<string> => {
  const clean = text === null ? "" : sanitize(text).trim()
  return clean === "" ? [] : ["", `${title}:`, cutMiddle(clean, limit)]
}

/** At most `limit` bytes; the end is always kept. Includes the output if the answer is missing or omits the failure. */
export const recordText = (task: RecordedTask, checkpoint: Checkpoint, limit: number): string => {
  const { answer, cause, diffStat, durationMs, error, status, tail } = checkpoint
  const how = status === "completed" ? "completed" : `${status} (${cause})`
  const answered = status === "completed" && answer !== null && answer.trim() !== ""
  const lines = [
    `Task ${task.id}, ${task.agent}: ${sanitize(task.title)}`,
    `It ${how}${durationMs === null ? " without having started" : ` after ${span(durationMs)}`}.`,
    ...part("Error", error, most.error),
    "",
    ...gitWords(checkpoint),
    ...part(changesTitle(checkpoint), diffStat, most.diffStat),
    ...filesOf(checkpoint),
    ...(answered ? [] : part("The end of its output", tail, most.tail)),
    ...part("Its final answer", answer, limit)
  ]
  return cutMiddle(
    lines
      .join("\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim(),
    limit
  )
}
