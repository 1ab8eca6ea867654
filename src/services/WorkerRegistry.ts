/** Who runs what, and which runtimes there are. Liveness is for the caller to decide, from process identities. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError, TaskStateConflict } from "../domain/Errors.ts"
import type { ProcessIdentity } from "../domain/Process.ts"
import type { Runtime, RuntimeId } from "../domain/Runtime.ts"
import type { EndCause, TaskId } from "../domain/Task.ts"
import type { ClaimId, Worker } from "../domain/Worker.ts"

export interface Holder {
  readonly claimId: ClaimId
  readonly runtimeId: RuntimeId
}

export class WorkerRegistry extends Context.Tag("backbeat/WorkerRegistry")<
  WorkerRegistry,
  {
    readonly register: (runtime: Runtime) => Effect.Effect<void, StorageError>
    /**
     * Takes a runtime off the list. `when: "idle"` does it only if no task is queued or running and no schedule is
     * active, in one transaction, so that nothing committed before can be left without a runtime. `superseded`: only while `by` is still registered.
     * Returns whether it left.
     */
    readonly leave: (
      id: RuntimeId,
      when: "always" | "idle" | { readonly superseded: RuntimeId }
    ) => Effect.Effect<boolean, StorageError>
    /** Registered runtimes, dead ones included, oldest first. */
    readonly runtimes: Effect.Effect<ReadonlyArray<Runtime>, StorageError>
    /** All worker rows, oldest claim first. There are at most as many as workers are allowed. */
    readonly workers: Effect.Effect<ReadonlyArray<Worker>, StorageError>
    readonly workerOf: (taskId: TaskId) => Effect.Effect<Option.Option<Worker>, StorageError>
    /** Records the shim's identity: `claimed` becomes `running`. */
    readonly started: (
      holder: Holder,
      process: ProcessIdentity
    ) => Effect.Effect<Worker, TaskStateConflict | StorageError>
    /** Records, before the first signal, why the worker is being ended. The first cause stays; the row as it is returns. */
    readonly stopping: (holder: Holder, cause: EndCause) => Effect.Effect<Worker, TaskStateConflict | StorageError>
    /** Moves the end of its timeout, if it has one, later by time in which the machine slept. The row as it is returns. */
    readonly postpone: (holder: Holder, sleptMs: number) => Effect.Effect<Worker, TaskStateConflict | StorageError>
    /** Takes a worker row over from a dead runtime by compare-and-set. False: somebody else did, or it is gone. */
    readonly adopt: (claimId: ClaimId, from: RuntimeId, to: RuntimeId) => Effect.Effect<boolean, StorageError>
  }
>() {}
