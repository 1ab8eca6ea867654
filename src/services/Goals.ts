/** Goals: loops whose lead delegates, and what their trees cost. The bounds are kept by `Queue` and `Loops`. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { GoalStop } from "../domain/goal/Goal.ts"
import type { LoopId } from "../domain/loop/LoopId.ts"
import type { TaskId } from "../domain/task/Task.ts"

export class Goals extends Context.Tag("backbeat/Goals")<
  Goals,
  {
    /**
     * Ends the leads of goals whose time or money is over, and with them their trees: what waits ends as cancelled, what runs
     * gets a request. Each goal once; a call with nothing to do takes no lock.
     */
    readonly stopOverdue: Effect.Effect<
      ReadonlyArray<{ readonly loopId: LoopId; readonly stop: GoalStop }>,
      StorageError
    >
    /** US dollars that each of these tasks has cost, by the ledger; those without a cost are left out. At most 10,000 ids. */
    readonly costs: (ids: ReadonlyArray<TaskId>) => Effect.Effect<ReadonlyMap<TaskId, number>, StorageError>
  }
>() {}
