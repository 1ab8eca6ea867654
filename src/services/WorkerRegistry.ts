/** The registered workers and their claims. The caller decides from process identities which of them live. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError, TaskStateConflict } from "../domain/Errors.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { Claim, ClaimId, StartProblem, StopCause } from "../domain/worker/Claim.ts"
import type { ProcessIdentity } from "../domain/worker/Process.ts"
import type { Stillness } from "../domain/worker/Stillness.ts"
import type { Worker, WorkerId } from "../domain/worker/Worker.ts"

export interface Holder {
  readonly claimId: ClaimId
  readonly workerId: WorkerId
}

export class WorkerRegistry extends Context.Tag("backbeat/WorkerRegistry")<
  WorkerRegistry,
  {
    /** Puts a worker on the list, or writes its row again where it is on it. */
    readonly register: (worker: Worker) => Effect.Effect<void, StorageError>
    /**
     * The schema that this process knows, and the one that is stored now: another process may have migrated. `file`: which file
     * this process has open.
     */
    readonly schema: Effect.Effect<
      { readonly known: number; readonly stored: number; readonly file: string | null },
      StorageError
    >
    /**
     * Takes a worker off the list. `when: "idle"` does it only if no task runs, all that are queued wait for answers of a
     * person or for such tasks, no schedule is active and every hook has read all notices, in one transaction, so that nothing committed before can be left without a worker. `superseded`: only while `by` is still registered.
     * Returns whether it left.
     */
    readonly leave: (
      id: WorkerId,
      when: "always" | "idle" | { readonly superseded: WorkerId }
    ) => Effect.Effect<boolean, StorageError>
    /** What this worker would find at a whole look, in one statement that costs the same with a million tasks. */
    readonly stillness: (id: WorkerId) => Effect.Effect<Stillness, StorageError>
    /** Registered workers, dead ones included, oldest first. */
    readonly workers: Effect.Effect<ReadonlyArray<Worker>, StorageError>
    /** All claim rows, oldest claim first. There are at most as many as workers are allowed. */
    readonly claims: Effect.Effect<ReadonlyArray<Claim>, StorageError>
    readonly claimOf: (taskId: TaskId) => Effect.Effect<Option.Option<Claim>, StorageError>
    /** Records the shim's identity: `claimed` becomes `running`. */
    readonly started: (
      holder: Holder,
      process: ProcessIdentity
    ) => Effect.Effect<Claim, TaskStateConflict | StorageError>
    /** Records, before the first signal, why the worker is being ended. The first cause stays; the row as it is returns. */
    readonly stopping: (holder: Holder, cause: StopCause) => Effect.Effect<Claim, TaskStateConflict | StorageError>
    /** Moves the end of its timeout, if it has one, later by time in which the machine slept. The row as it is returns. */
    readonly postpone: (holder: Holder, sleptMs: number) => Effect.Effect<Claim, TaskStateConflict | StorageError>
    /** Records, before the first process is stopped, that a task is to be frozen. The first time stays; the row as it is returns. */
    readonly freezing: (holder: Holder, uptimeMs: number) => Effect.Effect<Claim, TaskStateConflict | StorageError>
    /** Records that every process is stopped: the task is frozen. Only after `freezing`. */
    readonly frozen: (holder: Holder) => Effect.Effect<void, TaskStateConflict | StorageError>
    /** Records that all of them continue. The end of its timeout moves by the time that it was frozen. */
    readonly thawed: (holder: Holder, uptimeMs: number) => Effect.Effect<Claim, TaskStateConflict | StorageError>
    /**
     * Records that a claim's agent did not start, and why; null: for the reason on record. The record outlives the claim,
     * so that commands can show it while the task is in the queue again.
     */
    readonly startFailed: (holder: Holder, message: string | null) => Effect.Effect<void, StorageError>
    /** The starts of a task that failed, over all of its claims; none where all went well. */
    readonly startProblem: (taskId: TaskId) => Effect.Effect<Option.Option<StartProblem>, StorageError>
    /** Takes a claim row over from a dead worker by compare-and-set. False: another worker did, or the claim is gone. */
    readonly adopt: (claimId: ClaimId, from: WorkerId, to: WorkerId) => Effect.Effect<boolean, StorageError>
  }
>() {}
