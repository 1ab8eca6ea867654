/** Ends what waits in the queue for a loop whose time is over. Not among the light services, which have no use for it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { TaskId } from "../domain/task/Task.ts"

export class LateRounds extends Context.Tag("backbeat/LateRounds")<
  LateRounds,
  {
    /**
     * Where the deadline of a loop has passed and no task of its round runs, cancels the work that is queued, whatever it waits for, at most
     * 100 tasks; the evaluations too, where no work has started or they wait for a limit. What runs is ended by its worker:
     * `Claim.boundUptime`. Goals have `Goals.stopOverdue`. Returns the tasks that were ended.
     */
    readonly end: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
  }
>() {}
