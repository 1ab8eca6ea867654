/** Every migration in order: the number before the name is the schema version that it leads to. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlError from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import foundation from "./0001_foundation.ts"
import dependencies from "./0002_dependencies.ts"
import pipelines from "./0003_pipelines.ts"
import checkpoints from "./0004_checkpoints.ts"
import schedules from "./0005_schedules.ts"

export type Migration = Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>

/** Dense and increasing from 1: a number that was left out or came late would be skipped for ever. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001_foundation": foundation,
  "0002_dependencies": dependencies,
  "0003_pipelines": pipelines,
  "0004_checkpoints": checkpoints,
  "0005_schedules": schedules
}
