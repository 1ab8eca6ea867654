/** Loops: rounds of work and evaluation that the transactions which end them carry on. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type {
  DependencyInvalid,
  DepthExceeded,
  IdempotencyConflict,
  StorageError,
  TaskNotFound
} from "../domain/Errors.ts"
import type { GoalLimits } from "../domain/goal/Goal.ts"
import type { GoalLimitReached } from "../domain/goal/GoalErrors.ts"
import type { Loop, LoopRules, LoopStatus, LoopSummary } from "../domain/loop/Loop.ts"
import type { LoopNotFound, LoopStateConflict } from "../domain/loop/LoopErrors.ts"
import type { LoopId } from "../domain/loop/LoopId.ts"
import type { NewTask } from "../domain/task/NewTask.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { CommitId } from "../domain/workspace/Workspace.ts"
import type { CancelAnswer, CancelRequest } from "./Queue.ts"

/** What a round starts, first the work. Captured once: each round gets new tasks. */
export interface NewLoop {
  readonly rules: LoopRules
  /** The bounds of the tree below its work; null: it is not a goal. */
  readonly goal: GoalLimits | null
  /** The steps of the work, at least one; a single one has no name. */
  readonly work: ReadonlyArray<{ readonly name: string | null; readonly task: NewTask }>
  readonly evaluations: ReadonlyArray<{ readonly role: "until" | "score" | "judge"; readonly task: NewTask }>
  /** The task that waits for its end: no worker claims it before. It has one loop, however often it is stored. */
  readonly stepTask: TaskId | null
}

/** The place of a task in a loop. */
export interface RoundTask {
  readonly loop: Loop
  readonly round: number
  readonly role: "work" | "until" | "score" | "judge"
  /** Among the tasks of the round, from 0; the work comes first. */
  readonly position: number
}

/** What the work of a round left in the workspace of the loop. */
interface RoundWork {
  readonly commit: CommitId
  readonly tree: CommitId
  /** Files that it changed against its start. */
  readonly files: number
  /** The first protected file that it changed. */
  readonly tampered: string | null
}

interface LoopFilter {
  /** Empty means any. */
  readonly status: ReadonlyArray<LoopStatus>
  /** Only goals. */
  readonly goals: boolean
  /** From 1 to 1000. */
  readonly limit: number
  /** Only loops with a smaller `seq`: the last `seq` of the page before. */
  readonly before: number | null
}

export class Loops extends Context.Tag("backbeat/Loops")<
  Loops,
  {
    /**
     * Stores the loop and the tasks of its first round in one transaction, and returns after the commit. The key of its first step
     * is that of the loop: with a key that has been used for the same work, this returns the loop that is there.
     */
    readonly create: (
      loop: NewLoop,
      options: { readonly maxDepth: number }
    ) => Effect.Effect<
      Loop,
      DependencyInvalid | DepthExceeded | GoalLimitReached | IdempotencyConflict | TaskNotFound | StorageError
    >
    readonly get: (id: LoopId) => Effect.Effect<Loop, LoopNotFound | StorageError>
    /** An id, a unique prefix of an id, or `@last`. */
    readonly resolve: (reference: string) => Effect.Effect<LoopId, LoopNotFound | StorageError>
    /** Newest first; `more` says whether others match beyond this page. */
    readonly list: (
      filter: LoopFilter
    ) => Effect.Effect<{ readonly loops: ReadonlyArray<LoopSummary>; readonly more: boolean }, StorageError>
    /** The loop that this task waits for. */
    readonly ofStep: (task: TaskId) => Effect.Effect<Option.Option<Loop>, StorageError>
    /** Holds this task back again, if its loop is open: a person has released it. */
    readonly hold: (task: TaskId) => Effect.Effect<void, StorageError>
    /** Where a task belongs to a round. */
    readonly roundOf: (task: TaskId) => Effect.Effect<Option.Option<RoundTask>, StorageError>
    /** Notes what the work of a round left, before its end is stored. The verdict of the round reads it. */
    readonly worked: (task: TaskId, work: RoundWork) => Effect.Effect<void, StorageError>
    /** Forgets what earlier work of the round left, before this work starts: until it is sealed, no commit holds the round. */
    readonly working: (task: TaskId) => Effect.Effect<void, StorageError>
    /** The round that runs ends, and no other starts until `resume`. */
    readonly pause: (id: LoopId) => Effect.Effect<Loop, LoopNotFound | LoopStateConflict | StorageError>
    /** Stores the next round, or lets the one that runs be followed by another. */
    readonly resume: (id: LoopId) => Effect.Effect<Loop, LoopNotFound | LoopStateConflict | StorageError>
    /** In one transaction: waiting tasks of the round end as cancelled, running ones get the request. */
    readonly cancel: (id: LoopId, request: CancelRequest) => Effect.Effect<CancelAnswer, LoopNotFound | StorageError>
  }
>() {}
