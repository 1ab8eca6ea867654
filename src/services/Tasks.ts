/** The read model of tasks: everything bounded, everything indexed, nothing written. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { AmbiguousReference, StorageError, TaskNotFound } from "../domain/Errors.ts"
import type { GoalWait } from "../domain/goal/Goal.ts"
import type { LimitWait, PlaceWait } from "../domain/limits/AccountLimits.ts"
import type { Park } from "../domain/limits/Park.ts"
import type { Task, TaskGlance, TaskId, TaskPlace, TaskStatus, TaskSummary } from "../domain/task/Task.ts"
import type { TaskEdge, TaskNode } from "../domain/task/TaskGraph.ts"
import type { TaskHalt } from "../domain/task/TaskHalt.ts"
import type { TaskEnded, TerminalEvent } from "../domain/task/TerminalEvent.ts"

export interface ListFilter {
  /** Empty means any. */
  readonly status: ReadonlyArray<TaskStatus>
  readonly agent: string | null
  /** All of these must match. */
  readonly labels: Readonly<Record<string, string>>
  readonly directory: string | null
  readonly parentId: TaskId | null
  /** Created at or after, in milliseconds since 1970. */
  readonly since: number | null
  /** From 1 to 1000. */
  readonly limit: number
  /** Only tasks with a smaller `seq`: the last `seq` of the page before. */
  readonly before: number | null
}

export interface ListPage {
  /** Newest first. */
  readonly tasks: ReadonlyArray<TaskSummary>
  /** How many more match beyond this page, counted up to 1000 (then it reads 1000). */
  readonly more: number
}

export interface Counts {
  readonly queued: number
  readonly running: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

export class Tasks extends Context.Tag("backbeat/Tasks")<
  Tasks,
  {
    readonly get: (id: TaskId) => Effect.Effect<Task, TaskNotFound | StorageError>
    /** Status and times without the long texts. */
    readonly summary: (id: TaskId) => Effect.Effect<TaskSummary, TaskNotFound | StorageError>
    /** An id, a unique prefix of one (any length from 1), or `@last`. */
    readonly resolve: (reference: string) => Effect.Effect<TaskId, TaskNotFound | AmbiguousReference | StorageError>
    /** The newest tasks, newest first, a line each: a tenth of what a page of the list costs. `limit` from 1 to 1000. */
    readonly newest: (limit: number) => Effect.Effect<ReadonlyArray<TaskGlance>, StorageError>
    readonly list: (filter: ListFilter) => Effect.Effect<ListPage, StorageError>
    /** Kept by triggers in a row per status: the same cost with ten tasks and with a million. */
    readonly counts: Effect.Effect<Counts, StorageError>
    /** Whether all queued tasks wait for answers of a person, or for tasks that do: no worker can start any. */
    readonly awaitAnswers: Effect.Effect<boolean, StorageError>
    /** Queued tasks that would be claimed before this one; null when it is not queued. Counted up to 1000. */
    readonly ahead: (id: TaskId) => Effect.Effect<Option.Option<number>, StorageError>
    /**
     * Tasks that ran at some time from `from` to `until`, those that run included; with `null` also those that run now or
     * are ready to start. At most `limit`, oldest first.
     */
    readonly during: (
      from: number,
      until: number | null,
      limit: number
    ) => Effect.Effect<ReadonlyArray<TaskPlace>, StorageError>
    /** Direct children, at most 1000, oldest first. */
    readonly children: (id: TaskId) => Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /**
     * Edges that touch these tasks, in both directions; with null all edges that are pending, and the others of the tasks
     * that wait. At most `limit`.
     */
    readonly edges: (
      of: ReadonlyArray<TaskId> | null,
      limit: number
    ) => Effect.Effect<ReadonlyArray<TaskEdge>, StorageError>
    /** What a picture shows of these tasks, at most 1000 ids, in order of arrival; one that is not there is left out. */
    readonly nodes: (ids: ReadonlyArray<TaskId>) => Effect.Effect<ReadonlyArray<TaskNode>, StorageError>
    /** All attempts of the work that began with this task, the first one included, at most 1000, oldest first. */
    readonly attempts: (rootId: TaskId) => Effect.Effect<ReadonlyArray<TaskSummary>, StorageError>
    /** The earliest not-before time in the future among queued tasks. */
    readonly nextDue: (now: number) => Effect.Effect<Option.Option<number>, StorageError>
    /** The limit that a queued task waits for; none where its account is open, or nothing is known to limit it. */
    readonly limitWait: (id: TaskId) => Effect.Effect<Option.Option<LimitWait>, StorageError>
    /** What a queued task waits for after a limit of its account has ended: the answer to another task, or one of a few places. */
    readonly placeWait: (id: TaskId) => Effect.Effect<Option.Option<PlaceWait>, StorageError>
    /** The goal whose places are all in use, where it keeps this queued task from being claimed. */
    readonly goalWait: (id: TaskId) => Effect.Effect<Option.Option<GoalWait>, StorageError>
    /** When a task was parked, at most 1000 times, oldest first. */
    readonly parks: (id: TaskId) => Effect.Effect<ReadonlyArray<Park>, StorageError>
    /** Running tasks with a cancel request, at most 1000. */
    readonly cancelRequested: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /** Running tasks with an open question, at most 1000. */
    readonly asking: Effect.Effect<ReadonlyArray<TaskId>, StorageError>
    /** Terminal events after `seq`, oldest first, at most `limit`. */
    readonly events: (after: number, limit: number) => Effect.Effect<ReadonlyArray<TerminalEvent>, StorageError>
    /** The terminal events of these tasks, at most 1000 ids, oldest first. A task that has not ended has none. */
    readonly endsOf: (ids: ReadonlyArray<TaskId>) => Effect.Effect<ReadonlyArray<TaskEnded>, StorageError>
    /**
     * Of these tasks, any number, those that a wait may be over for: ended, asking a person, or kept in the queue by a limit. One
     * statement for all of them; a task that is not there is left out.
     */
    readonly haltsOf: (ids: ReadonlyArray<TaskId>) => Effect.Effect<ReadonlyArray<TaskHalt>, StorageError>
    /** The newest event's number, 0 when there is none. */
    readonly lastEvent: Effect.Effect<number, StorageError>
    /** Rises when another connection has committed (`PRAGMA data_version`). Cheap enough for a poll. */
    readonly version: Effect.Effect<number, StorageError>
    /** Rises with each row that this connection itself has changed, also where that was undone: what `version` leaves out. */
    readonly ownChanges: Effect.Effect<number, StorageError>
  }
>() {}
