/** Words for statuses, causes and numbers. */
import { isAsking } from "../../domain/task/isAsking.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { relative, span } from "../../text/FormatDuration.ts"
import { sanitize } from "../../text/Sanitize.ts"

/** Text from an agent or a prompt on one line: no control characters and no marks that turn the writing direction. */
export const plain = (text: string): string => sanitize(text).replace(/\s+/g, " ")

export const statusWord = (task: Pick<TaskSummary, "asks" | "cause" | "frozenAt" | "status">): string =>
  task.frozenAt !== null
    ? "frozen"
    : isAsking(task)
      ? "asks"
      : task.status === "cancelled" && task.cause === "dependency-failed"
        ? "skipped"
        : task.status

/** How it ended, or for how long it runs. */
export const timeWords = (task: TaskSummary, now: number): string => {
  if (task.endedAt !== null) {
    const ran = task.startedAt === null ? "" : ` after ${span(task.endedAt - task.startedAt)}`
    return `${relative(task.endedAt, now)}${ran}`
  }
  return task.startedAt === null ? `since ${span(now - task.createdAt)}` : `for ${span(now - task.startedAt)}`
}

/** What went wrong, in few words. */
export const failureWords = (
  task: Pick<TaskSummary, "cause" | "exitCode" | "failureClass" | "signal">
): string | null => {
  const { cause, exitCode, failureClass, signal } = task
  if (cause === null) return null
  if (failureClass !== null && failureClass !== "unknown") return failureClass
  return signal !== null ? `${cause}: ${signal}` : exitCode !== null && exitCode !== 0 ? `exit code ${exitCode}` : cause
}

export const lastOf = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path

export const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

export const dollars = (amount: number): string => `$${amount < 10 ? amount.toFixed(3) : amount.toFixed(2)}`

export const thousands = (count: number): string => count.toLocaleString("en-US")
