/** The exit codes of `beat`: one table, and how tasks and errors map to it. */
import type { Task, TaskSummary } from "../../domain/task/Task.ts"

export const ExitCode = {
  ok: 0,
  /** A task failed, or the command could not do its work. */
  failed: 1,
  /** Wrong flags, arguments or settings: the command changed nothing. */
  usage: 2,
  /** No such task, or an id prefix that fits several. */
  notFound: 3,
  cancelled: 4,
  /** A task ended by its timeout or because it stalled. */
  timedOut: 5,
  /** A task was cancelled because a dependency ended with a status that its policy does not accept. */
  dependencyFailed: 6,
  /** All that is waited for needs an answer of a person: `beat inbox`. */
  needsInput: 7,
  /** A defect of Backbeat itself. */
  bug: 70,
  /** The database is locked, full, read-only, damaged or of another version; or stdout could not be written. */
  storage: 74,
  /** A task ended on a usage limit: the same work may succeed later. */
  usageLimit: 75,
  /** `beat ask`: there is no answer yet. The same number: the same command may succeed later. */
  unanswered: 75,
  /** `--timeout` of a waiting command passed; the task continues. */
  waitTimedOut: 124,
  interrupted: 130,
  /** The reader of stdout has exited: the code of a program that SIGPIPE ends. */
  outputClosed: 141
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The exit code for how a task ended. A task that has not ended is `ok`: it has not failed. */
export const exitCodeOf = (task: Pick<Task | TaskSummary, "status" | "cause" | "failureClass">): ExitCode => {
  switch (task.status) {
    case "queued":
    case "running":
    case "completed":
      return ExitCode.ok
    case "cancelled":
      return task.cause === "dependency-failed" ? ExitCode.dependencyFailed : ExitCode.cancelled
    case "failed":
      if (task.cause === "timeout" || task.cause === "stalled") return ExitCode.timedOut
      return task.failureClass === "usage-limit" ? ExitCode.usageLimit : ExitCode.failed
  }
}

const ofError: Readonly<Record<string, ExitCode>> = {
  UsageError: ExitCode.usage,
  InvalidInput: ExitCode.usage,
  AgentUnknown: ExitCode.usage,
  NoDefaultAgent: ExitCode.usage,
  ConfigInvalid: ExitCode.usage,
  IdempotencyConflict: ExitCode.usage,
  DependencyInvalid: ExitCode.usage,
  NotIsolable: ExitCode.usage,
  PipelineInvalid: ExitCode.usage,
  PipelineKeyConflict: ExitCode.usage,
  PipelineNotFound: ExitCode.notFound,
  TaskNotFound: ExitCode.notFound,
  WorkspaceNotFound: ExitCode.notFound,
  GroupNotFound: ExitCode.notFound,
  HookNotFound: ExitCode.notFound,
  DeliveryNotFound: ExitCode.notFound,
  BudgetNotFound: ExitCode.notFound,
  LoopNotFound: ExitCode.notFound,
  ContestNotFound: ExitCode.notFound,
  ScheduleNotFound: ExitCode.notFound,
  QuestionNotFound: ExitCode.notFound,
  AmbiguousReference: ExitCode.notFound,
  StorageError: ExitCode.storage
}

/** The exit code of a named error; every other expected error is `failed`. */
export const exitCodeOfError = (error: { readonly _tag: string }): ExitCode => ofError[error._tag] ?? ExitCode.failed
