/** Contests: candidates side by side, judged and decided by the transactions that end their tasks. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Contest, ContestId, ContestRules } from "../domain/contest/Contest.ts"
import type { ContestNotFound } from "../domain/contest/ContestErrors.ts"
import type { CandidateRole, NewContest } from "../domain/contest/NewContest.ts"
import type {
  DependencyInvalid,
  DepthExceeded,
  IdempotencyConflict,
  StorageError,
  TaskNotFound
} from "../domain/Errors.ts"
import type { GoalLimitReached } from "../domain/goal/GoalErrors.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { CancelAnswer, CancelRequest } from "./Queue.ts"

/** The place of a task in a contest. */
interface CandidateTask {
  readonly id: ContestId
  readonly rules: ContestRules
  /** 0 for the choice. */
  readonly number: number
  /** `choice`: the task of the pipeline step that the contest is for. */
  readonly role: CandidateRole | "choice"
}

/** A task of a contest. */
interface Entrant {
  readonly number: number
  readonly role: CandidateRole | "choice"
  readonly taskId: TaskId
}

export class Contests extends Context.Tag("backbeat/Contests")<
  Contests,
  {
    /** Stores the contest with all of its tasks in one transaction, and returns after the commit. */
    readonly create: (
      contest: NewContest,
      options: { readonly maxDepth: number }
    ) => Effect.Effect<
      Contest,
      DependencyInvalid | DepthExceeded | GoalLimitReached | IdempotencyConflict | TaskNotFound | StorageError
    >
    readonly get: (id: ContestId) => Effect.Effect<Contest, ContestNotFound | StorageError>
    /** An id, or a unique prefix of one. */
    readonly resolve: (reference: string) => Effect.Effect<ContestId, ContestNotFound | StorageError>
    /** Where a task belongs to a candidate. */
    readonly placeOf: (task: TaskId) => Effect.Effect<Option.Option<CandidateTask>, StorageError>
    /** All tasks of a contest, in the order of the candidates. */
    readonly entrants: (id: ContestId) => Effect.Effect<ReadonlyArray<Entrant>, StorageError>
    /** The work of the candidate that is kept, where the task is the choice of a contest. */
    readonly keptBy: (choice: TaskId) => Effect.Effect<Option.Option<TaskId>, StorageError>
    /** Notes before the end of the work is stored that it changed this protected file. The verdict reads it. */
    readonly tampered: (task: TaskId, path: string) => Effect.Effect<void, StorageError>
    /** In one transaction: waiting tasks end as cancelled, running ones get the request. */
    readonly cancel: (
      id: ContestId,
      request: CancelRequest
    ) => Effect.Effect<CancelAnswer, ContestNotFound | StorageError>
  }
>() {}
