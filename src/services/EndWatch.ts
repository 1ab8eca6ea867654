/** One look at the store for all waits of a process: however many there are, they cost as much as one. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { StorageError, WorkerUnavailable } from "../domain/Errors.ts"

/** Returns the `seq` of the newest end of a task once it is above `seen`. */
export type NextEnd = (seen: number) => Effect.Effect<number, StorageError>

export class EndWatch extends Context.Tag("backbeat/EndWatch")<
  EndWatch,
  {
    /**
     * Watches until the scope is closed, and keeps the queue served meanwhile. `onTrouble` is called once for each period in
     * which no worker stays up.
     */
    readonly watch: (
      onTrouble: (problem: WorkerUnavailable | StorageError) => Effect.Effect<void>
    ) => Effect.Effect<NextEnd, never, Scope.Scope>
  }
>() {}
