/** The durable queue of tasks: what it promises, not how it is stored. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type {
  DepthExceeded,
  IdempotencyConflict,
  StorageError,
  TaskNotFound,
  TaskStateConflict
} from "../domain/Errors.ts"
import type { Environment, Launch, NewTask } from "../domain/NewTask.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { RuntimeId } from "../domain/Runtime.ts"
import type { Task, TaskId } from "../domain/Task.ts"
import type { TerminalEvent } from "../domain/TerminalEvent.ts"
import type { ClaimId, Worker } from "../domain/Worker.ts"

/** A claimed task with all that its start needs. */
export interface Claim {
  readonly task: Task
  readonly worker: Worker
  readonly launch: Launch
  readonly environment: Environment
}

/** A task as stored: `created` is false when an idempotency key led to one that was there before. */
export interface Enqueued {
  readonly task: Task
  readonly created: boolean
}

export interface ClaimOptions {
  readonly runtimeId: RuntimeId
  /** Over all processes. */
  readonly maxWorkers: number
  /** Memory is short: claim only if no worker exists at all, so that a small machine is slow but never stuck. */
  readonly onlyWhenIdle: boolean
  readonly bootId: string
}

export interface CancelRequest {
  readonly reason: string | null
  readonly by: string
}

/** `ended`: was queued and is cancelled now. `requested`: runs; its runtime will end it. `over`: had ended before. */
export type CancelAnswer = "ended" | "requested" | "over"

export class Queue extends Context.Tag("backbeat/Queue")<
  Queue,
  {
    /** Stores all or none, in order, and returns after the commit. A retry's attempt is one more than its original's. */
    readonly enqueue: (
      tasks: ReadonlyArray<NewTask>,
      options: { readonly maxDepth: number }
    ) => Effect.Effect<ReadonlyArray<Enqueued>, DepthExceeded | IdempotencyConflict | TaskNotFound | StorageError>

    /**
     * Hands the next ready task to exactly one caller over all processes: status, not-before, cancel request and the
     * worker limit are checked in the transaction that writes the worker row.
     */
    readonly claim: (options: ClaimOptions) => Effect.Effect<Option.Option<Claim>, StorageError>

    /** The claim of a worker row that exists: what an adopter needs. */
    readonly claimOf: (claimId: ClaimId) => Effect.Effect<Option.Option<Claim>, StorageError>

    /**
     * Ends a task: the only way to a terminal status. With a claim id it also requires that the claim still holds and
     * belongs to this runtime; one that was adopted or ended meanwhile is a `TaskStateConflict`. Without one only a queued
     * task ends: a running one belongs to its holder. One transaction: status and outcome, worker row removed, outbox row
     * appended.
     */
    readonly finish: (
      id: TaskId,
      outcome: Outcome,
      holder: { readonly claimId: ClaimId; readonly runtimeId: RuntimeId } | null
    ) => Effect.Effect<TerminalEvent, TaskNotFound | TaskStateConflict | StorageError>

    /** Puts a claimed task back whose agent never started and never will: worker row removed, status `queued`. */
    readonly requeue: (holder: {
      readonly claimId: ClaimId
      readonly runtimeId: RuntimeId
    }) => Effect.Effect<void, TaskStateConflict | StorageError>

    /** Cancels a queued task at once (through the same transaction as `finish`), asks the runtime of a running one. */
    readonly cancel: (id: TaskId, request: CancelRequest) => Effect.Effect<CancelAnswer, TaskNotFound | StorageError>

    /** The launch and environment of a stored task, for a retry. */
    readonly captured: (
      id: TaskId
    ) => Effect.Effect<{ readonly launch: Launch; readonly environment: Environment }, TaskNotFound | StorageError>

    /**
     * Deletes at most `limit` tasks that ended before `endedBefore`, with output, and the environments that nothing uses
     * any more. Returns the ids deleted.
     */
    readonly prune: (options: {
      readonly endedBefore: number
      readonly limit: number
      readonly dryRun: boolean
    }) => Effect.Effect<ReadonlyArray<TaskId>, StorageError>
  }
>() {}
