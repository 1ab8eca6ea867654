/** The worker of this process: registered, and at work until its layer is released. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ConfigInvalid, StorageError } from "../domain/Errors.ts"
import type { WorkerId } from "../domain/worker/Worker.ts"

export class WorkerPool extends Context.Tag("backbeat/WorkerPool")<
  WorkerPool,
  {
    /** Registered before the layer is built: from then on every submitter finds the queue served. */
    readonly id: WorkerId
    /** Returns when the worker has left because there is nothing to do. */
    readonly left: Effect.Effect<void, StorageError | ConfigInvalid>
  }
>() {}
