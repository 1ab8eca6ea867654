/** The status or the end of a task, in one line. */

import { isAsking } from "../../domain/task/isAsking.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { span } from "../../text/FormatDuration.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { type StyleName, stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { cut } from "./Layout.ts"

const colours = {
  queued: "blue",
  running: "cyan",
  completed: "green",
  failed: "red",
  cancelled: "yellow"
} as const satisfies Record<TaskSummary["status"], StyleName>

/** Columns of an error or a reason; `beat status` has all of it. */
const longest = 240

/** The last line may be advice, which begins a sentence: what is before it ends one. */
const oneLine = (text: string): string => {
  const lines = sanitize(text)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
  const last = lines.pop() ?? ""
  const before = lines.join(" ")
  const open = /[\p{L}\p{N})\]"']$/u.test(before) && /^\p{Lu}/u.test(last)
  return cut(before === "" ? last : `${before}${open ? "." : ""} ${last}`, longest)
}

const detail = (task: TaskSummary): string => {
  const lasted = task.endedAt === null ? "" : ` after ${span(task.endedAt - (task.startedAt ?? task.createdAt))}`
  switch (task.status) {
    case "queued":
    case "running":
      return ""
    case "completed":
      return lasted
    case "failed": {
      const cause = task.cause === null || task.cause === "exit" ? "" : ` (${task.cause})`
      return `${cause}${lasted}: ${oneLine(task.error ?? `exit code ${task.exitCode ?? "unknown"}`)}`
    }
    case "cancelled": {
      if (task.cause === "dependency-failed")
        return ` before it started: ${oneLine(task.error ?? "a dependency was not met")}`
      const by = task.cancelledBy === null ? "" : ` by ${oneLine(task.cancelledBy)}`
      return `${by}${task.cancelReason === null ? "" : `: ${oneLine(task.cancelReason)}`}`
    }
  }
}

/** A task that needs a person shows that instead of its status. */
const word = (task: TaskSummary): string =>
  task.frozenAt !== null ? "frozen" : isAsking(task) ? "asks: it needs input (beat inbox)" : task.status

/** `completed after 2m 5s`, `failed (timeout) after 30m: ...`, `cancelled by ann: not needed`, `running`. */
export const endingText = (task: TaskSummary, screen: Screen): string =>
  `${stylesOf(screen)[isAsking(task) ? "yellow" : colours[task.status]](word(task))}${detail(task)}`
