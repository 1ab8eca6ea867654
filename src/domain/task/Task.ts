/** The task: what was asked for, its status, and how it ended. */
import * as Schema from "effect/Schema"
import { GroupName } from "../gates/GroupName.ts"
import { AccountKey } from "../limits/Account.ts"
import { LoopId } from "../loop/LoopId.ts"
import { isName, notName } from "../Named.ts"
import { WorkspaceId } from "../workspace/WorkspaceId.ts"

/** 12 characters of Crockford base 32 in lower case: 60 random bits, so that a short prefix is unique. */
export const TaskId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, for example k3v9x2m7q4ab" }),
  Schema.brand("TaskId"),
  Schema.annotations({ identifier: "TaskId" })
)
export type TaskId = typeof TaskId.Type

/** Formed as a task's id is; the two never meet, since each is looked up among its own kind. */
export const PipelineId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, for example 7w2d9m4xkq5t" }),
  Schema.brand("PipelineId"),
  Schema.annotations({ identifier: "PipelineId" })
)
export type PipelineId = typeof PipelineId.Type

/** Milliseconds since 1970-01-01 UTC. */
export const Timestamp = Schema.Int.pipe(Schema.nonNegative())

/** A length of time in milliseconds. */
export const Millis = Schema.Int.pipe(Schema.nonNegative())

/** A count of bytes. */
export const ByteCount = Schema.Int.pipe(Schema.nonNegative())

export const TaskStatus = Schema.Literal("queued", "running", "completed", "failed", "cancelled")
export type TaskStatus = typeof TaskStatus.Type

export const TerminalStatus = Schema.Literal("completed", "failed", "cancelled")
export type TerminalStatus = typeof TerminalStatus.Type

/** P0 starts before P1, P1 before P2; within one priority, first come first served. */
export const Priority = Schema.Literal("P0", "P1", "P2")
export type Priority = typeof Priority.Type

/** What ended the task. */
export const EndCause = Schema.Literal(
  "exit",
  "signal",
  "timeout",
  "stalled",
  "cancelled",
  "spawn-failed",
  "agent-error",
  "dependency-failed",
  "owner-lost",
  "output-limit",
  "rejected"
)
export type EndCause = typeof EndCause.Type

/**
 * Which end of the upstream task a dependency asks for. `success`: completed. `finished`: any end. `failure`: it failed,
 * or was cancelled because something before it failed; a cancel that was requested is not a failure.
 */
export const DependencyPolicy = Schema.Literal("success", "finished", "failure")
export type DependencyPolicy = typeof DependencyPolicy.Type

/** `pending`: the upstream task has not ended. `unmet`: it ended otherwise than asked, and the dependent never starts. */
export const DependencyState = Schema.Literal("pending", "met", "unmet")
export type DependencyState = typeof DependencyState.Type

/** One thing a task waits for. */
export const Dependency = Schema.Struct({
  /** The upstream task. */
  taskId: TaskId,
  policy: DependencyPolicy,
  state: DependencyState
}).annotations({ identifier: "Dependency" })
export type Dependency = typeof Dependency.Type

/** How a task takes an earlier one up: from the start, in the agent's own session, or from its checkpoint. */
export const Continuation = Schema.Literal("retry", "session", "checkpoint")
export type Continuation = typeof Continuation.Type

/** Tries after the first one. */
export const MaxRetries = Schema.Int.pipe(Schema.between(0, 20))

/** What is done with a task that meets a usage limit. */
export const OnLimit = Schema.Literal("park", "fail")
export type OnLimit = typeof OnLimit.Type

/** Agents that take a task over when a limit stops its own: 5 at most. */
export const Fallback = Schema.Array(Schema.NonEmptyString).pipe(Schema.maxItems(5))

/** Why an agent failed, as far as its adapter could tell. It decides what to wait for, retry or repair. */
export const FailureClass = Schema.Literal(
  "auth",
  "usage-limit",
  "rate",
  "overloaded",
  "network",
  "model",
  "max-turns",
  "budget",
  "agent",
  "unknown"
)
export type FailureClass = typeof FailureClass.Type

/** Tokens and cost as the agent reported them for this task; null is "not reported". */
export const Usage = Schema.Struct({
  inputTokens: Schema.NullOr(Schema.Int),
  outputTokens: Schema.NullOr(Schema.Int),
  cacheReadTokens: Schema.NullOr(Schema.Int),
  cacheWriteTokens: Schema.NullOr(Schema.Int),
  /** US dollars, for agents that report it. */
  costUsd: Schema.NullOr(Schema.Number),
  /** True when the agent counts over its whole session, earlier tasks included: such numbers must not be added up. */
  cumulative: Schema.Boolean
}).annotations({ identifier: "Usage" })
export type Usage = typeof Usage.Type

export const labelKeyRule = "keys have 1 to 64 of A-Z a-z 0-9 _ . - /"

const labelKey = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9_.\-/]{1,64}$/, { message: () => labelKeyRule }),
  Schema.filter(isName, { message: notName })
)

/** At most 32 labels; keys of 1 to 64 characters from letters, digits and `_ . - /`, values up to 256 characters. */
export const Labels = Schema.Record({ key: labelKey, value: Schema.String.pipe(Schema.maxLength(256)) })
  // A label with another key would be left out without a word.
  .annotations({ parseOptions: { onExcessProperty: "error" } })
  .pipe(Schema.filter((labels) => Object.keys(labels).length <= 32 || "at most 32 labels"))
export type Labels = typeof Labels.Type

/** What a list shows of a task: everything but its long texts. */
export const TaskSummary = Schema.Struct({
  id: TaskId,
  /** Order of arrival, over all processes. */
  seq: Schema.Int,
  /** The first line of the prompt, at most 200 characters. */
  title: Schema.String,
  status: TaskStatus,
  priority: Priority,
  agent: Schema.NonEmptyString,
  model: Schema.NullOr(Schema.String),
  /** Whose limits its requests count against; null where none are known. */
  account: Schema.NullOr(AccountKey),
  /** Absolute path the agent works in. */
  directory: Schema.String,
  /** Null: no limit. */
  timeoutMs: Schema.NullOr(Millis),
  /** Time without output and with next to no CPU use (Stall.ts) after which the task ends as stalled; null is off. */
  stallMs: Schema.NullOr(Millis),
  /** Bytes kept of each stream; past it the middle is dropped. */
  maxOutputBytes: ByteCount,
  /** The earliest start. */
  notBefore: Schema.NullOr(Timestamp),
  /** 0 for a task from outside, one more for each task whose agent submitted it. */
  depth: Schema.Int.pipe(Schema.nonNegative()),
  /** The task whose agent submitted this one. */
  parentId: Schema.NullOr(TaskId),
  /** 1 for a first attempt. */
  attempt: Schema.Int.pipe(Schema.positive()),
  /** The task that this one retries. */
  retryOf: Schema.NullOr(TaskId),
  /** The first task of its chain of attempts; null for a first attempt. */
  rootId: Schema.NullOr(TaskId),
  /** The automatic retry of this task: its end is the one that counts. */
  retriedBy: Schema.NullOr(TaskId),
  /** How it takes up the task in `retryOf`; null for a first attempt. */
  continuation: Schema.NullOr(Continuation),
  /** The task whose checkpoint goes before the prompt when this one starts. */
  continueFrom: Schema.NullOr(TaskId),
  /** Dependencies that are pending: above 0 it is blocked. */
  waitingOn: Schema.Int.pipe(Schema.nonNegative()),
  /** Its questions that no person has answered: above 0 it needs input, and is not claimed. */
  asks: Schema.Int.pipe(Schema.nonNegative()),
  maxRetries: MaxRetries,
  /** The pause before the first automatic retry; it doubles with each. */
  backoffMs: Millis,
  /** The pipeline it is a step of. */
  pipelineId: Schema.NullOr(PipelineId),
  /** The group whose limit it counts against. */
  group: Schema.NullOr(GroupName),
  /** The goal whose lead delegated it, directly or not, or whose lead it is. */
  goalId: Schema.NullOr(LoopId),
  /** What is done when it meets a usage limit: it waits in the queue for the limit to end, or it fails. */
  onLimit: OnLimit,
  /** How long it waits for limits in all. */
  giveUpMs: Millis,
  /** The agents that take it over, in this order, while its account is closed for long. */
  fallback: Fallback,
  /** It starts only while its account has room that would go unused. */
  spare: Schema.Boolean,
  /** How often it was parked, that is, put back into the queue by a limit. No attempt was used up by that. */
  parks: Schema.Int.pipe(Schema.nonNegative()),
  /** Since when it waits for a limit to end; null when it does not. */
  parkedAt: Schema.NullOr(Timestamp),
  /** Since when its processes are stopped by a person's `beat pause --freeze`; null when they are not. */
  frozenAt: Schema.NullOr(Timestamp),
  /** How often it has waited in the queue, between two turns of its agent, for tasks that it delegated. */
  wakes: Schema.Int.pipe(Schema.nonNegative()),
  /** The workspace that it works in; null: it works in `directory` itself. */
  workspaceId: Schema.NullOr(WorkspaceId),
  idempotencyKey: Schema.NullOr(Schema.String),
  labels: Labels,
  createdAt: Timestamp,
  startedAt: Schema.NullOr(Timestamp),
  endedAt: Schema.NullOr(Timestamp),
  cancelRequestedAt: Schema.NullOr(Timestamp),
  cancelReason: Schema.NullOr(Schema.String),
  /** The user, the client or the task (`task <id>`) that asked for the cancel. */
  cancelledBy: Schema.NullOr(Schema.String),
  cause: Schema.NullOr(EndCause),
  /** As a shell reports it: 128 + n when signal n ended the agent. Null when no process could read it. */
  exitCode: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String),
  /** What went wrong and what to do, at most 4 kB. */
  error: Schema.NullOr(Schema.String),
  failureClass: Schema.NullOr(FailureClass),
  /** When a usage limit ends, if the agent said so. */
  failureResetAt: Schema.NullOr(Timestamp),
  bytesStored: ByteCount,
  bytesDropped: ByteCount,
  /** Processes the agent left behind, ended when it was done. */
  leftovers: Schema.Int.pipe(Schema.nonNegative()),
  /** The agent's own session id. */
  sessionId: Schema.NullOr(Schema.String),
  usage: Schema.NullOr(Usage)
}).annotations({ identifier: "TaskSummary" })
export type TaskSummary = typeof TaskSummary.Type

/** What one line about a task says. */
export const TaskGlance = TaskSummary.pick("id", "title", "status", "agent", "createdAt", "endedAt")
export type TaskGlance = typeof TaskGlance.Type

/** Where a task works. */
export const TaskPlace = TaskSummary.pick("id", "title", "status", "directory", "workspaceId")
export type TaskPlace = typeof TaskPlace.Type

/** The whole task. */
export const Task = Schema.Struct({
  ...TaskSummary.fields,
  prompt: Schema.String,
  systemPrompt: Schema.NullOr(Schema.String),
  /** By id of the upstream task, at most 100. */
  dependsOn: Schema.Array(Dependency),
  /** The agent's final answer, at most 1 MB. */
  answer: Schema.NullOr(Schema.String)
}).annotations({ identifier: "Task" })
export type Task = typeof Task.Type

/** The longest prompt accepted, in bytes. */
export const maxPromptBytes = 64 * 1024 * 1024

/** The first line of a prompt, cut for lists. */
export const titleOf = (prompt: string): string => {
  const line =
    prompt
      .slice(0, 4000)
      .split("\n")
      .map((part) => part.trim())
      .find((part) => part.length > 0) ?? ""
  const characters = Array.from(line)
  return characters.length <= 200 ? line : `${characters.slice(0, 199).join("")}…`
}

export const isTerminal = (status: TaskStatus): status is TerminalStatus =>
  status === "completed" || status === "failed" || status === "cancelled"
