/** Merges of what tasks left into branches of the user. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE merges (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      home TEXT NOT NULL,
      branch TEXT NOT NULL,
      tree TEXT,
      before TEXT NOT NULL,
      merged TEXT,
      state TEXT NOT NULL CHECK (state IN ('testing', 'applying', 'proposing', 'proposed', 'merged', 'undoing', 'conflict', 'refused', 'undone')),
      check_task TEXT,
      conflicts TEXT NOT NULL,
      reason TEXT,
      url TEXT CHECK (url IS NOT NULL OR state <> 'proposed'),
      pid INTEGER NOT NULL CHECK (pid > 1),
      start_time TEXT NOT NULL,
      boot_id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      changed_at INTEGER NOT NULL
    ) STRICT
  `
  // Merges of one repository are carried out one after the other, over all processes.
  yield* sql`CREATE UNIQUE INDEX merges_open ON merges (home) WHERE state IN ('testing', 'applying', 'undoing')`
  yield* sql`CREATE INDEX merges_task ON merges (task_id, seq)`
  yield* sql`CREATE INDEX merges_check ON merges (check_task) WHERE check_task IS NOT NULL`
})
