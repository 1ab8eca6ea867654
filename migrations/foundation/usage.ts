/** The ledger: what each run of an agent used. It refers to no task, so that it outlives them. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // One row for each model of a claim. What the task was is copied: a report never looks at tasks.
  yield* sql`
    CREATE TABLE ledger (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      claim_id TEXT NOT NULL,
      model TEXT NOT NULL,
      at INTEGER NOT NULL,
      task_id TEXT NOT NULL,
      agent TEXT NOT NULL,
      family TEXT NOT NULL DEFAULT '',
      account TEXT,
      directory TEXT NOT NULL,
      pipeline_id TEXT,
      labels TEXT NOT NULL,
      input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
      output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
      cache_read_tokens INTEGER NOT NULL CHECK (cache_read_tokens >= 0),
      cache_write_tokens INTEGER NOT NULL CHECK (cache_write_tokens >= 0),
      cost_micro INTEGER CHECK (cost_micro >= 0),
      cost_by TEXT NOT NULL CHECK (cost_by IN ('reported', 'estimated', 'unpriced', 'unreported')),
      parked_ms INTEGER NOT NULL DEFAULT 0,
      UNIQUE (claim_id, model),
      CHECK ((cost_micro IS NULL) = (cost_by IN ('unpriced', 'unreported')))
    ) STRICT
  `
  yield* sql`CREATE INDEX ledger_at ON ledger (at)`
  yield* sql`CREATE INDEX ledger_task ON ledger (task_id)`
  yield* sql`CREATE INDEX ledger_kind ON ledger (agent, family, seq)`

  // Where an agent counts over its session, the counts of its last run.
  yield* sql`
    CREATE TABLE session_totals (
      agent TEXT NOT NULL,
      session_id TEXT NOT NULL,
      model TEXT NOT NULL,
      input_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      cache_read_tokens INTEGER NOT NULL,
      cache_write_tokens INTEGER NOT NULL,
      cost_micro INTEGER NOT NULL,
      PRIMARY KEY (agent, session_id, model)
    ) STRICT, WITHOUT ROWID
  `
})
