/** The limits of accounts: what is known of them, and what a person decides about them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import type { AccountKey } from "../domain/limits/Account.ts"
import type { AccountLimits } from "../domain/limits/AccountLimits.ts"
import type { Overdue } from "../domain/limits/Parking.ts"
import type { StoredSignal } from "../domain/limits/Signal.ts"
import type { TaskId } from "../domain/task/Task.ts"

/** Where a task is in the order of lanes and arrival. */
export interface LanePlace {
  readonly lane: number
  readonly seq: number
}

export class Limits extends Context.Tag("backbeat/Limits")<
  Limits,
  {
    /** The accounts that a task has used, at most 200, by agent and key. */
    readonly list: Effect.Effect<ReadonlyArray<AccountLimits>, StorageError>
    /**
     * Queued tasks with a fallback whose own account stays closed beyond `until`, at most `limit`, by lane and arrival: the first ones,
     * or those that follow `after`.
     */
    readonly waitingBeyond: (
      until: number,
      limit: number,
      after: LanePlace | null
    ) => Effect.Effect<ReadonlyArray<LanePlace & { readonly id: TaskId }>, StorageError>
    /**
     * Queued tasks that a limit keeps although they have waited for limits as long as they may, at most 100, in the order
     * in which their time ended. The time runs from the first park on, or, where a task was told how long it is, from the first
     * look on at which a limit keeps it.
     */
    readonly overdue: Effect.Effect<ReadonlyArray<Overdue>, StorageError>
    /** Works out again when spare tasks may start, where the room that they were to use is gone. */
    readonly renewSpare: Effect.Effect<void, StorageError>
    /** Stores what a service answered about an account that was asked. A refusal of a task counts for more than that. */
    readonly observe: (account: AccountKey, signals: ReadonlyArray<StoredSignal>) => Effect.Effect<void, StorageError>
    /** No task of the account starts before `until`. One that runs continues. */
    readonly close: (account: AccountKey, until: number, reason: string | null) => Effect.Effect<void, StorageError>
    /** Opens all windows of the account, a closing by hand included. One task starts, and its answer lets others follow. */
    readonly open: (account: AccountKey) => Effect.Effect<void, StorageError>
    /** The windows of `to` count for `account` too: two keys of one account. */
    readonly join: (account: AccountKey, to: AccountKey) => Effect.Effect<void, StorageError>
    /** The account has its own windows again. */
    readonly split: (account: AccountKey) => Effect.Effect<void, StorageError>
  }
>() {}
