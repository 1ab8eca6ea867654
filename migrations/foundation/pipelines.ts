/** Pipelines and their steps. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // No status column: the status of a pipeline is read from its steps.
  yield* sql`
    CREATE TABLE pipelines (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      retry_of TEXT,
      idempotency_key TEXT UNIQUE,
      digest TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      cancel_requested_at INTEGER,
      cancel_reason TEXT,
      cancelled_by TEXT
    ) STRICT
  `

  yield* sql`CREATE INDEX pipelines_name ON pipelines (name, seq)`

  // A task is a step of one pipeline, and of those that try it again and keep what was completed.
  yield* sql`
    CREATE TABLE pipeline_steps (
      pipeline_id TEXT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      name TEXT NOT NULL,
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE RESTRICT,
      policy TEXT NOT NULL CHECK (policy IN ('success', 'finished', 'failure')),
      after TEXT NOT NULL,
      continue_from INTEGER,
      delay_ms INTEGER NOT NULL DEFAULT 0,
      gate TEXT,
      PRIMARY KEY (pipeline_id, position)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX pipelines_retry ON pipelines (retry_of) WHERE retry_of IS NOT NULL`
  yield* sql`CREATE INDEX pipeline_steps_task ON pipeline_steps (task_id)`
  yield* sql`CREATE INDEX tasks_pipeline ON tasks (pipeline_id, started_at) WHERE pipeline_id IS NOT NULL`
})
