/** Wakes: what a task waits for between two turns of its agent. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The task has it as its newest one (`tasks.wakes`) once the run of `claim_id` has ended. `woken_by` is the claim that
  // carries it out; `told_at` is set when an answer shows that the agent has heard of it.
  yield* sql`
    CREATE TABLE wakes (
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      n INTEGER NOT NULL CHECK (n >= 1),
      claim_id TEXT NOT NULL UNIQUE,
      mode TEXT NOT NULL CHECK (mode IN ('all', 'any')),
      asked_by TEXT NOT NULL CHECK (asked_by IN ('agent', 'backbeat')),
      asked_at INTEGER NOT NULL,
      parked_at INTEGER,
      woken_at INTEGER,
      woken_by TEXT,
      told_at INTEGER,
      session_id TEXT,
      PRIMARY KEY (task_id, n),
      CHECK ((woken_at IS NULL) = (woken_by IS NULL)),
      CHECK (woken_at IS NULL OR parked_at IS NOT NULL),
      CHECK (told_at IS NULL OR woken_at IS NOT NULL)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX wakes_woken ON wakes (woken_by) WHERE woken_by IS NOT NULL`

  // Not a reference: an awaited task may be pruned before the one that waits for others too.
  yield* sql`
    CREATE TABLE wake_tasks (
      task_id TEXT NOT NULL,
      n INTEGER NOT NULL,
      position INTEGER NOT NULL,
      awaited_id TEXT NOT NULL,
      PRIMARY KEY (task_id, n, position),
      FOREIGN KEY (task_id, n) REFERENCES wakes (task_id, n) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
  `
})
