/** Durable schedules: what fires when, and the outcome of each time. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { InvalidInput, StorageError } from "../domain/Errors.ts"
import type { Execution, NewSchedule, Rules, Schedule, ScheduleStatus, Work } from "../domain/schedule/Schedule.ts"
import type { ScheduleNotFound, ScheduleStateConflict } from "../domain/schedule/ScheduleErrors.ts"
import type { ScheduleId } from "../domain/schedule/ScheduleId.ts"

/** A schedule whose time has come, with what a run of it starts. */
export interface Due {
  readonly schedule: Schedule
  readonly work: Work
}

/**
 * `Fired`: a run was stored. `Recorded`: the time was skipped or missed. `Lost`: another worker did it, or it is no longer
 * due. `Behind`: the schedule it follows has an earlier time that is due and must be fired first.
 */
export type FireAnswer =
  | { readonly _tag: "Fired"; readonly execution: Execution }
  | { readonly _tag: "Recorded"; readonly executions: ReadonlyArray<Execution> }
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Behind"; readonly first: ScheduleId }

interface ScheduleFilter {
  /** Empty means any. */
  readonly status: ReadonlyArray<ScheduleStatus>
  /** From 1 to 1000. */
  readonly limit: number
  /** Only schedules with a smaller `seq`. */
  readonly before: number | null
}

export interface ScheduleEdit extends Partial<Rules> {
  readonly name?: string | null
  readonly work?: Work
}

export class Schedules extends Context.Tag("backbeat/Schedules")<
  Schedules,
  {
    /** Stores it as active, its first time computed from now. Name, and the schedule it follows, are checked with it. */
    readonly create: (schedule: NewSchedule) => Effect.Effect<Schedule, InvalidInput | StorageError>

    readonly get: (id: ScheduleId) => Effect.Effect<Schedule, ScheduleNotFound | StorageError>
    /** What a run of it starts. */
    readonly work: (id: ScheduleId) => Effect.Effect<Work, ScheduleNotFound | StorageError>
    /** An id, a unique prefix of one, a name (of one that is not over, else of the newest) or `@last`. */
    readonly resolve: (reference: string) => Effect.Effect<ScheduleId, ScheduleNotFound | StorageError>
    /** Newest first. */
    readonly list: (filter: ScheduleFilter) => Effect.Effect<ReadonlyArray<Schedule>, StorageError>
    /** Newest first, only those with an earlier `dueAt` than `before`. `limit` from 1 to 1000. */
    readonly history: (
      id: ScheduleId,
      options: { readonly limit: number; readonly before: number | null }
    ) => Effect.Effect<ReadonlyArray<Execution>, StorageError>
    /** Executions that have not ended, newest first, at most 1000. */
    readonly open: (id: ScheduleId) => Effect.Effect<ReadonlyArray<Execution>, StorageError>

    /** The earliest fire time of all active schedules: one look into an index. */
    readonly nextFire: Effect.Effect<Option.Option<number>, StorageError>
    /** Active schedules whose fire time is not after `now`, earliest first. `limit` from 1 to 1000. */
    readonly due: (now: number, limit: number) => Effect.Effect<ReadonlyArray<Due>, StorageError>
    /**
     * Fires one time of each of these, where they are still as given, and answers in their order. One transaction decides
     * by the rules, records each time, stores what it starts and sets the next one. Over all processes a time is fired once.
     * A schedule of which something cannot be read is paused with the reason. One that could not be started for a reason
     * that may pass gives it and is tried again in a minute. Neither keeps another from being fired.
     */
    readonly fire: (due: ReadonlyArray<Due>) => Effect.Effect<ReadonlyArray<FireAnswer>, StorageError>
    /**
     * Gives each active schedule whose next time lies further away than its rule allows the next time from now, with a row
     * `missed` that says so: the clock was set back. One that has expired although it has a time before its expiry is active again,
     * unless its name belongs to another by now. Returns those. Over all processes a time is still fired once.
     */
    readonly putRight: Effect.Effect<ReadonlyArray<ScheduleId>, StorageError>
    /** Runs it now, in addition to its regular times, which do not change; neither does the count of runs. */
    readonly runNow: (
      id: ScheduleId
    ) => Effect.Effect<Execution, ScheduleNotFound | ScheduleStateConflict | StorageError>

    /** Active to paused. With a `revision` only if it was not changed since. */
    readonly pause: (
      id: ScheduleId,
      options: { readonly reason: string | null; readonly revision: number | null }
    ) => Effect.Effect<Schedule, ScheduleNotFound | ScheduleStateConflict | StorageError>
    /**
     * Paused to active, its next time computed from now: what was passed meanwhile was not missed. A rule that cannot be
     * read is an `InvalidInput` that says what is wrong with it.
     */
    readonly resume: (
      id: ScheduleId
    ) => Effect.Effect<Schedule, InvalidInput | ScheduleNotFound | ScheduleStateConflict | StorageError>
    /** Cancels it permanently. Runs in progress continue. */
    readonly cancel: (
      id: ScheduleId
    ) => Effect.Effect<Schedule, ScheduleNotFound | ScheduleStateConflict | StorageError>
    /** Changes what is given, if it is still at this revision, and computes the next time again. */
    readonly edit: (
      id: ScheduleId,
      edit: ScheduleEdit,
      revision: number
    ) => Effect.Effect<Schedule, InvalidInput | ScheduleNotFound | ScheduleStateConflict | StorageError>
    /**
     * Deletes at most `limit` schedules that were over before `endedBefore`, with their history. One that another follows
     * which is active or paused stays, and so does one that another follows which was over later.
     */
    readonly prune: (options: {
      readonly endedBefore: number
      readonly limit: number
      readonly dryRun: boolean
    }) => Effect.Effect<ReadonlyArray<ScheduleId>, StorageError>
  }
>() {}
