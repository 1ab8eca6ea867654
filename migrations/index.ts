/** Every migration in order: the number before the name is the schema version that it leads to. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlError from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import checkpoints from "./foundation/checkpoints.ts"
import dependencies from "./foundation/dependencies.ts"
import pipelines from "./foundation/pipelines.ts"
import schedules from "./foundation/schedules.ts"
import foundation from "./foundation/tasks.ts"

export type Migration = Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>

/** Dense and increasing from 1: a number that was left out or came late would be skipped for ever. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001_foundation": foundation,
  "0002_dependencies": dependencies,
  "0003_pipelines": pipelines,
  "0004_checkpoints": checkpoints,
  "0005_schedules": schedules
}
