/** The times at which a worker has something to do although no process has committed anything. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError } from "../domain/Errors.ts"

export class DueTimes extends Context.Tag("backbeat/DueTimes")<
  DueTimes,
  {
    /**
     * The first moment after `since` at which `Queue.claim`, `Goals.stopOverdue` or `LateRounds.end` may answer differently than at `since`, with the
     * same rows: a task's start time, the end of a pause, a new period of a budget, the end of a limit, more places for an account
     * whose limit has ended, the deadline of a loop or goal, the end of the time that a task waits for limits (`Limits.overdue`); also
     * the end of the room of spare tasks, for `Limits.renewSpare`. Schedules
     * have `Schedules.nextFire`.
     */
    readonly next: (since: number) => Effect.Effect<Option.Option<number>, StorageError>
  }
>() {}
