/** Notices as lines: number, time, what happened, to what, and the details. */

import * as Schema from "effect/Schema"
import { type Notice, type Reset, statusOf } from "../../domain/events/Notice.ts"
import { AccountKey, fingerprintOf } from "../../domain/limits/Account.ts"
import { windowWords } from "../../domain/limits/Window.ts"
import { amountWords } from "../../text/amountWords.ts"
import { moment } from "../../text/FormatDuration.ts"
import { stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { cut } from "./Layout.ts"
import { plain, vague } from "./TaskTable.ts"

const kindWidth = 16

const text = (value: Notice["data"][string] | undefined): string => (typeof value === "string" ? plain(value) : "")
const time = (value: Notice["data"][string] | undefined): string => (typeof value === "number" ? moment(value) : "?")

/** `failed (auth)`, `failed (exit 3)`, `completed`. */
const endOf = (notice: Notice): string => {
  const { cause, exitCode, failureClass } = notice.data
  const status = plain(statusOf(notice) ?? "")
  if (status === "completed") return status
  const told = text(failureClass)
  const why =
    told !== "" && !vague.has(told)
      ? told
      : cause === "exit" && typeof exitCode === "number"
        ? `exit ${exitCode}`
        : text(cause)
  return why === "" || why === status ? status : `${status} (${why})`
}

/** The details of a notice beyond its kind; an empty text if there are none. */
export const noticeFacts = (notice: Notice): string => {
  const { data } = notice
  switch (notice.kind) {
    case "ended":
      return endOf(notice)
    case "retried":
      return `${endOf(notice)}, again as ${text(data.retriedBy)}`
    case "parked":
      return data.resetsAt === null ? "" : `until ${time(data.resetsAt)}`
    case "limit":
      return `${windowWords({ name: text(data.window), family: "" })}, opens ${time(data.resetsAt)}`
    case "out-of-credit":
      return "no credit is left: add some, then open it with 'beat limits open'"
    case "budget-warned":
    case "budget-tripped": {
      const opens = typeof data.opensAt === "number" ? `, opens ${moment(data.opensAt)}` : ""
      const amount =
        typeof data.amount === "number" ? amountWords(data.metric === "tokens" ? "tokens" : "usd", data.amount) : "?"
      return notice.kind === "budget-warned"
        ? `the warning level of ${amount} is reached`
        : `no room is left in ${amount}${opens}`
    }
    case "schedule-missed":
    case "schedule-skipped":
      return `${data.count === 1 ? "once" : `${data.count} times`}, from ${time(data.dueAt)}${text(data.reason) === "" ? "" : `: ${text(data.reason)}`}`
    case "pipeline-ended":
    case "loop-ended":
    case "contest-ended":
    case "merge-ended":
      return plain(statusOf(notice) ?? "")
    case "paused":
      return `${data.freeze === 1 ? "frozen " : ""}${typeof data.until === "number" ? `until ${moment(data.until)} ` : ""}by ${text(data.by)}${text(data.reason) === "" ? "" : `: ${text(data.reason)}`}`
    case "asks":
      return `${text(notice.subject)}: ${text(data.text)}`
    case "answered":
      return `${text(notice.subject)} by ${text(data.by)}${data.denied === 1 ? ", declined" : ""}`
    case "queued":
    case "started":
    case "requeued":
    case "limit-over":
    case "resumed":
      return ""
  }
}

const isAccount = Schema.is(AccountKey)

const subjectOf = ({ pipelineId, subject, taskId }: Notice): string =>
  taskId ?? (subject === null ? (pipelineId ?? "") : isAccount(subject) ? fingerprintOf(subject) : plain(subject))

const colours = { completed: "green", failed: "red", cancelled: "yellow" } as const

export const noticeLine = (notice: Notice, screen: Screen): string => {
  const styles = stylesOf(screen)
  const status = statusOf(notice)
  const style =
    status === "completed" || status === "failed" || status === "cancelled" ? styles[colours[status]] : styles.cyan
  const head = `${String(notice.seq).padStart(6)}  ${moment(notice.at)}  `
  const kind = notice.kind.padEnd(kindWidth)
  const agent = notice.agent ?? text(notice.data.agent)
  const rest = [subjectOf(notice), noticeFacts(notice), plain(agent), plain(notice.title ?? "")]
    .filter((part) => part !== "")
    .join("  ")
  const room = screen.columns === null ? rest : cut(rest, Math.max(20, screen.columns - head.length - kindWidth - 2))
  return `${styles.dim(head)}${style(kind)}  ${room}`
}

/** What a reader has to know before it continues. */
export const resetWords = ({ newest, oldest, reason }: Reset): string =>
  reason === "gone"
    ? `Notices before ${oldest} are no longer kept: what follows starts there.`
    : `The newest notice is ${newest}, so that number comes from another database. What follows starts at ${oldest}.`
