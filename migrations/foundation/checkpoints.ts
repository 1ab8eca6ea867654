/** What ended tasks leave to those that follow. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The repository's position when the agent started.
  yield* sql`
    CREATE TABLE task_starts (
      task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
      branch TEXT,
      "commit" TEXT,
      at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`
    CREATE TABLE checkpoints (
      task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
      taken_at INTEGER NOT NULL,
      content TEXT NOT NULL
    ) STRICT
  `

  // How far each reader of the outbox has got. What ended before there were checkpoints gets none.
  yield* sql`CREATE TABLE outbox_readers (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID`
  yield* sql`INSERT INTO outbox_readers (name, seq) SELECT 'checkpoints', coalesce(max(seq), 0) FROM outbox`
})
