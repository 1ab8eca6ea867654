/** Workspaces, and what tasks left in them. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE workspaces (
      id TEXT PRIMARY KEY,
      home TEXT NOT NULL,
      subdirectory TEXT NOT NULL,
      base TEXT NOT NULL,
      base_kind TEXT NOT NULL CHECK (base_kind IN ('head', 'tree', 'revision', 'task', 'step')),
      path TEXT NOT NULL,
      slot INTEGER UNIQUE CHECK (slot >= 1),
      state TEXT NOT NULL CHECK (state IN ('planned', 'ready', 'reclaiming', 'trashed', 'gone')),
      mounted INTEGER CHECK (mounted IN (0, 1)),
      kept INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1)),
      last_seal TEXT,
      last_sealed_at INTEGER,
      problem TEXT,
      trash_path TEXT,
      reclaimer TEXT,
      bytes INTEGER,
      measured_at INTEGER,
      created_at INTEGER NOT NULL,
      used_at INTEGER NOT NULL,
      CHECK ((slot IS NOT NULL) = (state IN ('planned', 'ready', 'reclaiming'))),
      CHECK (state <> 'trashed' OR trash_path IS NOT NULL),
      CHECK ((reclaimer IS NOT NULL) = (state = 'reclaiming'))
    ) STRICT
  `
  yield* sql`CREATE INDEX workspaces_state ON workspaces (state, used_at)`
  yield* sql`CREATE INDEX workspaces_created ON workspaces (created_at)`

  // One running task in a workspace: the claim looks here, and the index keeps the promise.
  yield* sql`
    CREATE UNIQUE INDEX tasks_workspace_running ON tasks (workspace_id) WHERE workspace_id IS NOT NULL AND status = 'running'
  `
  yield* sql`CREATE INDEX tasks_workspace ON tasks (workspace_id, seq) WHERE workspace_id IS NOT NULL`

  yield* sql`
    CREATE TABLE results (
      task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
      workspace_id TEXT NOT NULL REFERENCES workspaces (id),
      base TEXT NOT NULL,
      "commit" TEXT NOT NULL,
      tree TEXT NOT NULL,
      files INTEGER NOT NULL,
      insertions INTEGER NOT NULL,
      deletions INTEGER NOT NULL,
      commits INTEGER NOT NULL,
      nested TEXT NOT NULL,
      home INTEGER NOT NULL CHECK (home IN (0, 1)),
      problem TEXT,
      sealed_at INTEGER NOT NULL
    ) STRICT
  `
  yield* sql`CREATE INDEX results_workspace ON results (workspace_id)`
})
