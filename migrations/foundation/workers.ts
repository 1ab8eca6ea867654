/** The tables of workers, and of what they have claimed. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE workers (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('on-demand', 'worker', 'mcp')),
      pid INTEGER NOT NULL CHECK (pid > 1),
      start_time TEXT NOT NULL,
      boot_id TEXT NOT NULL,
      version TEXT NOT NULL,
      schema INTEGER NOT NULL,
      uid INTEGER,
      file TEXT,
      started_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT
  `

  // The clock on the wall and the time since the boot at one moment: while both agree with it, the clock was not set since.
  yield* sql`
    CREATE TABLE clocks (
      boot_id TEXT PRIMARY KEY,
      wall_at INTEGER NOT NULL,
      since_boot INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
  `

  // No reference to workers: the row of a dead worker goes, its workers stay to be adopted.
  yield* sql`
    CREATE TABLE claims (
      task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE RESTRICT,
      claim_id TEXT NOT NULL UNIQUE,
      worker_id TEXT NOT NULL,
      account TEXT,
      reserve_micro INTEGER NOT NULL DEFAULT 0,
      reserve_tokens INTEGER NOT NULL DEFAULT 0,
      used_micro INTEGER NOT NULL DEFAULT 0,
      used_tokens INTEGER NOT NULL DEFAULT 0,
      used TEXT NOT NULL DEFAULT '[]',
      state TEXT NOT NULL CHECK (state IN ('claimed', 'running')),
      pid INTEGER CHECK (pid > 1),
      start_time TEXT,
      boot_id TEXT NOT NULL,
      claimed_at INTEGER NOT NULL,
      running_at INTEGER,
      deadline_uptime INTEGER,
      frozen_uptime INTEGER,
      bound_uptime INTEGER,
      stop_cause TEXT,
      stop_at INTEGER,
      input_closed INTEGER NOT NULL DEFAULT 0 CHECK (input_closed IN (0, 1)),
      CHECK ((state = 'running') = (pid IS NOT NULL AND start_time IS NOT NULL AND running_at IS NOT NULL)),
      CHECK ((stop_cause IS NULL) = (stop_at IS NULL))
    ) STRICT
  `

  // Whichever way a claim ends: what it left is not frozen any more, or its agent starts again.
  yield* sql`
    CREATE TRIGGER claims_thawed AFTER DELETE ON claims WHEN OLD.frozen_uptime IS NOT NULL BEGIN
      UPDATE tasks SET frozen_at = NULL WHERE id = OLD.task_id AND frozen_at IS NOT NULL;
    END
  `
  yield* sql`CREATE INDEX claims_account ON claims (account) WHERE account IS NOT NULL`

  // Every claim there was, as long as its task is kept: a claim that was lost can still name its task. `n` is its place among those
  // of the task, since the clock can be set back. `released`: the task went back to the queue, without or after a run.
  yield* sql`
    CREATE TABLE claim_history (
      claim_id TEXT PRIMARY KEY,
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      n INTEGER NOT NULL CHECK (n >= 1),
      claimed_at INTEGER NOT NULL,
      released_at INTEGER,
      released TEXT CHECK (released IN ('requeued', 'parked')),
      start_failures INTEGER NOT NULL DEFAULT 0 CHECK (start_failures >= 0),
      start_error TEXT,
      CHECK ((released IS NULL) = (released_at IS NULL))
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX claim_history_task ON claim_history (task_id)`
})
