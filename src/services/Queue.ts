/** The durable queue of tasks: what it promises, not how it is stored. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type {
  DependencyInvalid,
  DepthExceeded,
  IdempotencyConflict,
  StorageError,
  TaskNotFound,
  TaskStateConflict
} from "../domain/Errors.ts"
import type { GoalLimitReached } from "../domain/goal/GoalErrors.ts"
import type { Account } from "../domain/limits/Account.ts"
import type { MessageId } from "../domain/message/Message.ts"
import type { Environment, Launch, NewTask } from "../domain/task/NewTask.ts"
import type { Outcome } from "../domain/task/Outcome.ts"
import type { Task, TaskId } from "../domain/task/Task.ts"
import type { TaskEdit } from "../domain/task/TaskEdit.ts"
import type { TaskEnded } from "../domain/task/TerminalEvent.ts"
import type { Spending } from "../domain/usage/ModelUse.ts"
import type { Claim, ClaimId } from "../domain/worker/Claim.ts"
import type { Uid, WorkerId } from "../domain/worker/Worker.ts"

/** A claimed task: all that is needed to look after it once it was started. */
export interface Held {
  readonly task: Task
  readonly claim: Claim
}

/** A claimed task with all that its start needs. */
export interface ClaimedTask extends Held {
  readonly launch: Launch
  readonly environment: Environment
  /** The session of its agent in which it continues after it was parked; null: it starts as it was submitted. */
  readonly resumeSession: string | null
  /** What its agent gets as TRACEPARENT. */
  readonly traceparent: string
  /** Where its agent works instead of the directory of the task: set when its workspace is in place. */
  readonly place?: WorkPlace
}

/** How a task goes back to the queue between two runs of its agent. */
export interface Parking {
  /** False: no limit was met. It waits for a person, or the session that it was to continue in is gone. */
  readonly limit: boolean
  /** A spent budget ended its agent: nothing is closed but by that budget. */
  readonly budget?: boolean
  /** It waits for the tasks that its agent has named (`Wakes.ask`) and then continues. Both can be: it waits for both. */
  readonly wake: boolean
  /** Whether its agent has answered since it was woken last: otherwise the next turn repeats that wake. */
  readonly told: boolean
  /** Its turn ended before its agent answered at all: the next turn gets the same text. */
  readonly unheard?: boolean
  /** The prompt of its next start; null: the same as before. */
  readonly prompt: string | null
  /** When the limit ends, as far as the agent said; live signals may know better. */
  readonly resetsAt: number | null
  /** No credit is left, and a person is needed. */
  readonly credit: boolean
  /** The session of its agent: the one it continues in, or with `launch` the new one. */
  readonly sessionId: string | null
  /** How it starts again, where there is nothing to continue; null: it continues in `sessionId`. */
  readonly launch: Launch | null
  /** What is left of its timeout; null: it has none. */
  readonly timeLeftMs: number | null
  /** What its run used, for the ledger; null: it does not count. */
  readonly spending: Spending | null
}

/** A workspace as an agent sees it. */
export interface WorkPlace {
  /** The directory that the agent starts in. */
  readonly directory: string
  /** The top directory of the workspace. */
  readonly workspace: string
  /** The directory that the workspace is mounted over for the agent alone; null: the agent works at the workspace's own path. */
  readonly over: string | null
  readonly variables: Environment
}

/** A task as stored: `created` is false when an idempotency key led to one that was there before. */
export interface Enqueued {
  readonly task: Task
  readonly created: boolean
}

export interface ClaimOptions {
  readonly workerId: WorkerId
  /** Over all processes. */
  readonly maxConcurrency: number
  /** Memory is short: claim only if no worker exists at all, so that a small machine is slow but never stuck. */
  readonly onlyWhenIdle: boolean
  readonly bootId: string
  /** `Host.uptimeMs` now: a timeout is counted from it. */
  readonly uptimeMs: number
  /** `Host.sinceBootMs` now: what is left of the time of a loop is counted from it. */
  readonly sinceBootMs: number
  /** Workspaces hold this many bytes: no task starts that needs another one made. Missing: no limit. */
  readonly workspaceMaxBytes?: number | null
  /** Only tasks that this user has submitted. */
  readonly uid: Uid
}

export interface CancelRequest {
  readonly reason: string | null
  readonly by: string
}

/** `ended`: was queued and is cancelled now. `requested`: runs; its worker will end it. `over`: had ended before. */
export type CancelAnswer = "ended" | "requested" | "over"

export class Queue extends Context.Tag("backbeat/Queue")<
  Queue,
  {
    /**
     * Stores all or none, in order, and returns after the commit. A retry's attempt is one more than its original's.
     * Dependencies are checked, drawn and resolved in the same transaction: a task whose dependency can no longer be met
     * comes back as cancelled. A task that would continue a session while another task still uses it fails as a
     * `TaskStateConflict` that names the other task. Messages in `moves` are said by the first of the tasks: they are marked
     * as moved to it. One that is not stored any more was moved by another process, which is a `TaskStateConflict` too.
     */
    readonly enqueue: (
      tasks: ReadonlyArray<NewTask>,
      options: { readonly maxDepth: number; readonly moves?: ReadonlyArray<MessageId> }
    ) => Effect.Effect<
      ReadonlyArray<Enqueued>,
      | DependencyInvalid
      | DepthExceeded
      | GoalLimitReached
      | IdempotencyConflict
      | TaskNotFound
      | TaskStateConflict
      | StorageError
    >

    /**
     * Hands the next ready task to exactly one caller over all processes: status, not-before, cancel request and the
     * worker limit are checked in the transaction that writes the claim row.
     */
    readonly claim: (options: ClaimOptions) => Effect.Effect<Option.Option<ClaimedTask>, StorageError>

    /**
     * The same for the next `most` ready tasks in one transaction, in the order in which they would be claimed one by one. Fewer where
     * there is no room for more, or where a task cannot be read, which ends then.
     */
    readonly claimSeveral: (
      options: ClaimOptions,
      most: number
    ) => Effect.Effect<ReadonlyArray<ClaimedTask>, StorageError>

    /**
     * What an adopter needs of a claim row; none where it is gone. What its start needed is not read, so that a task whose
     * launch or environment became unreadable is followed to its end.
     */
    readonly claimedTask: (claimId: ClaimId) => Effect.Effect<Option.Option<Held>, StorageError>

    /**
     * Ends a task: the only way to a terminal status. With a claim id it also requires that the claim still holds and
     * belongs to this worker; one that was adopted or ended meanwhile is a `TaskStateConflict`. Without one only a queued
     * task ends: a running one belongs to its holder. One transaction: status and outcome, claim row removed, outbox row
     * appended, and what waits for the task resolved: unblocked, or cancelled with all that hangs on it.
     *
     * With a `retry`, a failure without a cancel request stores the retry, and the dependents and waiters of the task wait
     * for the retry instead.
     */
    readonly finish: (
      id: TaskId,
      outcome: Outcome,
      holder: { readonly claimId: ClaimId; readonly workerId: WorkerId } | null,
      retry?: NewTask | null
    ) => Effect.Effect<TaskEnded, TaskNotFound | TaskStateConflict | StorageError>

    /**
     * Puts a claimed task back whose agent never started and never will: claim row removed, status `queued`. With an
     * `account` it waits for the limits of that one from now on: its agent is logged in otherwise than at its submit.
     */
    readonly requeue: (
      holder: { readonly claimId: ClaimId; readonly workerId: WorkerId },
      account?: Account
    ) => Effect.Effect<void, TaskStateConflict | StorageError>

    /**
     * Puts a claimed task back whose agent met a usage limit or a spent budget, or has asked to be woken, or waits for a person,
     * once its processes are gone. One transaction: claim row removed, status `queued`, its session kept, the account closed
     * where a limit was met, the edges of its wake drawn. No attempt is used up. A task with a cancel request ends as cancelled
     * instead, and its end is returned.
     */
    readonly park: (
      holder: { readonly claimId: ClaimId; readonly workerId: WorkerId },
      parking: Parking
    ) => Effect.Effect<Option.Option<TaskEnded>, TaskStateConflict | StorageError>

    /** Cancels a queued task immediately (through the same transaction as `finish`); asks the worker of a running one. */
    readonly cancel: (id: TaskId, request: CancelRequest) => Effect.Effect<CancelAnswer, TaskNotFound | StorageError>

    /** What a stored task will start with, for a retry or an edit; `revision` rises with each edit. */
    readonly captured: (id: TaskId) => Effect.Effect<
      {
        readonly launch: Launch
        readonly environment: Environment
        readonly revision: number
        /** The session in which it continued, or will; null where it was never put back with one. */
        readonly resumeSession: string | null
      },
      TaskNotFound | StorageError
    >

    /**
     * Changes a task that has not started, if it is still at this revision; with `dependsOn` its dependencies are replaced,
     * by what is checked as for a new task. One transaction, which loses cleanly against a claim.
     */
    readonly edit: (
      id: TaskId,
      edit: TaskEdit,
      revision: number
    ) => Effect.Effect<Task, DependencyInvalid | TaskNotFound | TaskStateConflict | StorageError>

    /**
     * Deletes at most `limit` tasks that ended before `endedBefore`, with output, and the environments that nothing uses
     * any more. A step is deleted only together with its whole pipeline, and no task is deleted before its later attempts have ended.
     * Returns the ids deleted.
     */
    readonly prune: (options: {
      readonly endedBefore: number
      readonly limit: number
      readonly dryRun: boolean
    }) => Effect.Effect<ReadonlyArray<TaskId>, StorageError>
  }
>() {}
