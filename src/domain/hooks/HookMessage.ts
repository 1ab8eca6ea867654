/** What a hook is sent: a notice with the number of its delivery and one line for people, or several of them in one. */
import * as Schema from "effect/Schema"
import { type Notice, statusOf } from "../events/Notice.ts"
import { Labels, Timestamp } from "../task/Task.ts"

export const HookMessage = Schema.Struct({
  /** The same over all attempts: a receiver that has seen it has the message. */
  id: Schema.String,
  hook: Schema.String,
  /** The kind of the notice; `summary` for several; `test` of `beat hooks test`. */
  kind: Schema.String,
  /** Whether a person should look at it. */
  needsYou: Schema.Boolean,
  /** One line for people. */
  text: Schema.String,
  /** The number of the notice; null in a summary and in a test. */
  seq: Schema.NullOr(Schema.Int),
  at: Timestamp,
  taskId: Schema.NullOr(Schema.String),
  pipelineId: Schema.NullOr(Schema.String),
  subject: Schema.NullOr(Schema.String),
  data: Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number, Schema.Null) }),
  agent: Schema.NullOr(Schema.String),
  title: Schema.NullOr(Schema.String),
  labels: Schema.NullOr(Labels),
  directory: Schema.NullOr(Schema.String),
  /** How deep the task was delegated; null without a task. What a command hook submits is one deeper. */
  depth: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "HookMessage" })
export type HookMessage = typeof HookMessage.Type

/** A notice with what a filter looks at. */
export interface HookNotice extends Notice {
  readonly directory: string | null
  /** Whether it is about a task that evaluates the work of a loop or a contest. */
  readonly evaluates: boolean
  readonly depth: number | null
}

/** Whether a person should look: work has failed or cannot continue. A round that does not pass needs no person: the loop continues. */
export const needsYou = (notice: Pick<HookNotice, "kind" | "data" | "evaluates">): boolean => {
  const status = statusOf(notice)
  switch (notice.kind) {
    case "ended":
      return status === "failed" && !notice.evaluates
    case "contest-ended":
      return status === "failed"
    case "loop-ended":
      return status === "failed" || status === "exhausted" || status === "stale"
    case "merge-ended":
      return status === "conflict" || status === "refused"
    case "limit":
    case "out-of-credit":
    case "budget-tripped":
    case "schedule-missed":
    case "asks":
      return true
    default:
      return false
  }
}

const verb: Readonly<Record<string, string>> = {
  queued: "is queued",
  started: "has started",
  requeued: "is queued again",
  parked: "waits for a usage limit or a budget",
  retried: "failed and is tried again",
  "limit-over": "usage limit is over",
  "out-of-credit": "no credit is left",
  "budget-warned": "budget has reached its warning level",
  "budget-tripped": "budget is spent",
  "schedule-missed": "missed a time",
  "schedule-skipped": "skipped a time",
  paused: "is paused",
  resumed: "is resumed",
  answered: "has an answer"
}

const told = (value: Notice["data"][string] | undefined): string => (typeof value === "string" ? value : "")

const reasonOf = ({ data }: Notice): string => {
  const { cause, exitCode, failureClass } = data
  if (told(failureClass) !== "" && failureClass !== "unknown" && failureClass !== "agent")
    return ` (${told(failureClass)})`
  if (cause === "exit") return typeof exitCode === "number" && exitCode !== 0 ? ` (exit ${exitCode})` : ""
  return told(cause) === "" || cause === "cancelled" ? "" : ` (${told(cause)})`
}

const happened = (notice: Notice): string => {
  const status = statusOf(notice) ?? "ended"
  switch (notice.kind) {
    case "ended":
      return `${status}${reasonOf(notice)}`
    case "pipeline-ended":
      return `pipeline ${status}`
    case "loop-ended":
      return `loop ${status}`
    case "contest-ended":
      return `contest ${status}`
    case "merge-ended":
      return `merge: ${status}`
    case "limit":
      return `usage limit of ${told(notice.data.agent) || "an account"} met`
    case "asks":
      return `asks ${notice.subject ?? ""}: ${told(notice.data.text)}`
    default:
      return verb[notice.kind] ?? notice.kind
  }
}

/** One line that begins with what happened, because a phone shows only the beginning. */
export const textOf = (notice: Notice): string => {
  const what = notice.title ?? notice.subject ?? notice.pipelineId ?? ""
  const id = notice.taskId === null ? "" : ` [${notice.taskId}]`
  return `${happened(notice)}${what === "" ? "" : `: ${what}`}${id}`.replace(/\s+/g, " ").slice(0, 300)
}

export const messageOf = (id: string, hook: string, { evaluates, ...notice }: HookNotice): HookMessage => ({
  ...notice,
  id,
  hook,
  needsYou: needsYou({ ...notice, evaluates }),
  text: textOf(notice)
})
