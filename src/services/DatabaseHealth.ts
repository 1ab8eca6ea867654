/** Whether the database is whole, and no larger than what is in it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"

interface HealthReport {
  /** The newest migration applied. */
  readonly schema: number
  /** What SQLite finds wrong, at most 10 lines; empty when all is well. */
  readonly damage: ReadonlyArray<string>
  /** Rows that point at rows which are not there. */
  readonly danglingRows: number
  /** Running tasks without a claim row: nothing would ever end them. */
  readonly strandedTasks: number
}

export class DatabaseHealth extends Context.Tag("backbeat/DatabaseHealth")<
  DatabaseHealth,
  {
    /** Reads every page: seconds for a large database. */
    readonly check: Effect.Effect<HealthReport, StorageError>
    /**
     * Gives pages that nothing uses back to the disk, 2 MB at most, in one short transaction. The number of bytes given
     * back; 0 once there is nothing more to give.
     */
    readonly reclaim: Effect.Effect<number, StorageError>
  }
>() {}
