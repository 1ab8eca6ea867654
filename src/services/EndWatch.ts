/** One look at the store for all waits of a process: however many there are, they cost as much as one. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { StorageError, WorkerUnavailable } from "../domain/Errors.ts"
import type { QuestionId } from "../domain/questions/Question.ts"
import type { TaskId } from "../domain/task/Task.ts"

/** What one wait is for. */
export interface Interest {
  /** Tasks that had not ended when they were last read. */
  readonly ids: ReadonlyArray<TaskId>
  /** Return when all of them have ended, not with the first end. A retry that replaces one of them counts as an end here. */
  readonly all: boolean
  /**
   * Return also when every one that has not ended asks a person, or waits for a limit that ends after this time (milliseconds
   * since 1970). Null: only ends count.
   */
  readonly heldUntil: number | null
  /**
   * Return also with any end of a task whose `seq` is above this: a pipeline, loop or contest may have ended with it. Null: only
   * the tasks above count.
   */
  readonly endsAfter: number | null
}

export interface News {
  /** Those that have not ended, where each asks a person or waits for a limit; empty where tasks have ended. */
  readonly held: ReadonlyArray<TaskId>
}

/** Returns soon after there is news, also where it was there before the call. */
export type NextNews = (interest: Interest) => Effect.Effect<News, StorageError>

export class EndWatch extends Context.Tag("backbeat/EndWatch")<
  EndWatch,
  {
    /**
     * Watches until the scope is closed, and keeps the queue served meanwhile. `onTrouble` is called once for each period in
     * which no worker stays up.
     */
    readonly watch: (
      onTrouble: (problem: WorkerUnavailable | StorageError) => Effect.Effect<void>
    ) => Effect.Effect<NextNews, never, Scope.Scope>
    /** Returns when the question is no longer open. If its task was pruned, there will be no answer. */
    readonly untilClosed: (id: QuestionId) => Effect.Effect<void, StorageError>
  }
>() {}
