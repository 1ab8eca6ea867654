/** The checkpoints of ended tasks, and how far their taking has got. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError, TaskNotFound } from "../domain/Errors.ts"
import type { Checkpoint, GitHead } from "../domain/task/Checkpoint.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { ClaimId } from "../domain/worker/Claim.ts"

/** The end of a task that has no checkpoint yet. */
export interface Missing {
  /** The number of its event in the outbox. */
  readonly seq: number
  readonly taskId: TaskId
  /** When it ended. */
  readonly at: number
}

export class Checkpoints extends Context.Tag("backbeat/Checkpoints")<
  Checkpoints,
  {
    /** Records the repository's position at the start of this claim's agent. A claim that no longer holds records nothing. */
    readonly started: (claimId: ClaimId, head: GitHead) => Effect.Effect<void, StorageError>
    /** What the last start has recorded. */
    readonly startOf: (taskId: TaskId) => Effect.Effect<Option.Option<GitHead>, StorageError>
    /** First write wins. Returns the stored checkpoint. */
    readonly store: (checkpoint: Checkpoint) => Effect.Effect<Checkpoint, TaskNotFound | StorageError>
    readonly get: (taskId: TaskId) => Effect.Effect<Option.Option<Checkpoint>, StorageError>
    /**
     * Tasks whose end has a number above `after` and that have no checkpoint, oldest end first, at most `limit`. A task
     * that never started leaves nothing behind and is not among them.
     */
    readonly missing: (after: number, limit: number) => Effect.Effect<ReadonlyArray<Missing>, StorageError>
    /** All ends up to this number are dealt with, as far as is on record. */
    readonly reached: Effect.Effect<number, StorageError>
    /** Puts it on record; it never goes back. */
    readonly advance: (seq: number) => Effect.Effect<void, StorageError>
  }
>() {}
