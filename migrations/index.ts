/** Every migration in order: the number before the name is the schema version that it leads to. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlError from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import foundation from "./0001_foundation.ts"

export type Migration = Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>

/** Dense and increasing from 1: a number that is left out or added late would never run. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001_foundation": foundation
}
