/** The edges between tasks. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The upstream task may be pruned before its dependent: what was asked of it is kept. wake: drawn between two turns of
  // the dependent, which waits for all of them (1) or for any of them (2).
  yield* sql`
    CREATE TABLE task_dependencies (
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      upstream_id TEXT NOT NULL,
      policy TEXT NOT NULL CHECK (policy IN ('success', 'finished', 'failure')),
      state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'met', 'unmet')),
      wake INTEGER NOT NULL DEFAULT 0 CHECK (wake IN (0, 1, 2)),
      PRIMARY KEY (task_id, upstream_id),
      CHECK (task_id <> upstream_id)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX task_dependencies_upstream ON task_dependencies (upstream_id, state, policy)`
  yield* sql`CREATE INDEX task_dependencies_pending ON task_dependencies (task_id) WHERE state = 'pending'`
})
