/** Whether the database is whole. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"

export interface HealthReport {
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
  }
>() {}
