/** A notice: one thing that happened, with its number. Readers keep the number of the last one that they have seen. */
import * as Schema from "effect/Schema"
import { Labels, PipelineId, TaskId, Timestamp } from "../task/Task.ts"

/** The table `notices` keeps this many of the newest notices. */
export const keptNotices = 100_000

export const NoticeKind = Schema.Literal(
  /** A task was submitted, or stored as the next attempt of one that failed. */
  "queued",
  /** A worker claimed it and starts its agent. */
  "started",
  /** It went back to the queue: its agent did not start, or ended its turn to wait for tasks that it delegated. */
  "requeued",
  /** A usage limit put it back to the queue. */
  "parked",
  /** It failed, and its next attempt is in the queue. */
  "retried",
  /** It ended, and no attempt follows. */
  "ended",
  "pipeline-ended",
  "loop-ended",
  "contest-ended",
  /** A merge was applied, refused, undone or met a conflict. */
  "merge-ended",
  /** An account met a usage limit, or a person closed it. */
  "limit",
  /** The service answered a task of the account again. */
  "limit-over",
  /** An account has no credit left: a person has to add some. */
  "out-of-credit",
  /** A budget has come near to its amount, once in a period. */
  "budget-warned",
  /** It is spent: no task that counts against it starts before its next period, or before a person raises it. */
  "budget-tripped",
  "schedule-missed",
  "schedule-skipped",
  /** A person closed a gate: nothing behind it starts. */
  "paused",
  "resumed",
  /** An agent asks a person: `subject` is the question. */
  "asks",
  "answered"
)
export type NoticeKind = typeof NoticeKind.Type

export const Notice = Schema.Struct({
  /** Rises by one with each notice, over all processes. */
  seq: Schema.Int,
  kind: NoticeKind,
  at: Timestamp,
  taskId: Schema.NullOr(TaskId),
  /** Of a pipeline's end, and of what happens to its steps. */
  pipelineId: Schema.NullOr(PipelineId),
  /** The account, schedule, loop or merge that it is about. */
  subject: Schema.NullOr(Schema.String),
  /** Facts of the moment: `status`, `cause`, `resetsAt` and the like. */
  data: Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number, Schema.Null) }),
  /** Of the task as it is now; null once it is pruned. */
  agent: Schema.NullOr(Schema.String),
  title: Schema.NullOr(Schema.String),
  labels: Schema.NullOr(Labels)
}).annotations({ identifier: "Notice" })
export type Notice = typeof Notice.Type

/** A reader's number is not among the kept ones: what the reader shows may be wrong, and the next notice is `oldest`. */
export const Reset = Schema.Struct({
  kind: Schema.Literal("reset"),
  /** `gone`: notices after its number were dropped. `ahead`: no notice has that number yet, so the database is another one. */
  reason: Schema.Literal("gone", "ahead"),
  oldest: Schema.Int,
  newest: Schema.Int
}).annotations({ identifier: "Reset" })
export type Reset = typeof Reset.Type

/** The first and the last number that are kept; the first is above the last if no notice is kept. */
export interface NoticeBounds {
  readonly oldest: number
  readonly newest: number
}

/** What a reader that has seen `after` gets first if it missed notices. */
export const resetOf = (after: number, { newest, oldest }: NoticeBounds): Reset | null =>
  after > newest
    ? { kind: "reset", reason: "ahead", oldest, newest }
    : after < oldest - 1
      ? { kind: "reset", reason: "gone", oldest, newest }
      : null

/** The status that an end ended with. */
export const statusOf = ({ data }: Pick<Notice, "data">): string | null =>
  typeof data.status === "string" ? data.status : null

/** The words that select ends of tasks by their status. */
export const endWords = ["completed", "failed", "cancelled"] as const

/** Every word that selects notices. */
export const noticeWords: ReadonlyArray<string> = [...NoticeKind.literals, ...endWords]

/** Whether one of the words selects it: a kind, or the status of a task that has ended. */
export const isSelected = (notice: Pick<Notice, "kind" | "data">, words: ReadonlyArray<string>): boolean =>
  words.includes(notice.kind) || (notice.kind === "ended" && words.includes(statusOf(notice) ?? ""))
