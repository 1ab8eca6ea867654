/** The records of merges: what a process that takes one over has to know. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError } from "../domain/Errors.ts"
import type { Merge, MergeId } from "../domain/merge/Merge.ts"
import type { TaskId } from "../domain/task/Task.ts"

export class Merges extends Context.Tag("backbeat/Merges")<
  Merges,
  {
    /** All that have not ended, oldest first, at most 100. */
    readonly allOpen: Effect.Effect<ReadonlyArray<Merge>, StorageError>
    /** Stores a new one; false where another merge that began in its directory is open. A proposal is always stored. */
    readonly begin: (merge: Merge) => Effect.Effect<boolean, StorageError>
    /**
     * Changes it, unless another process has changed its state or taken it over meanwhile; false then. An
     * undo begins only where no other merge that began in its directory is open.
     */
    readonly change: (
      from: Pick<Merge, "id" | "state" | "owner">,
      to: Partial<
        Pick<Merge, "state" | "merged" | "before" | "tree" | "checkTask" | "conflicts" | "reason" | "url" | "owner">
      >
    ) => Effect.Effect<boolean, StorageError>
    readonly get: (id: MergeId) => Effect.Effect<Option.Option<Merge>, StorageError>
    /** The merges of a task, newest first, at most 20. */
    readonly ofTask: (task: TaskId) => Effect.Effect<ReadonlyArray<Merge>, StorageError>
  }
>() {}
