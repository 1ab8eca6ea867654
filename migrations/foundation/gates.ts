/** Gates that people close, and groups of tasks with a limit. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE gates (
      scope TEXT NOT NULL CHECK (scope IN ('all', 'group', 'agent', 'pipeline', 'task')),
      name TEXT NOT NULL,
      until_at INTEGER,
      reason TEXT,
      closed_by TEXT NOT NULL,
      at INTEGER NOT NULL,
      freeze INTEGER NOT NULL DEFAULT 0 CHECK (freeze = 0 OR (freeze = 1 AND scope = 'task')),
      PRIMARY KEY (scope, name),
      CHECK ((scope = 'all') = (name = ''))
    ) STRICT, WITHOUT ROWID
  `

  // The pause of a task is over with the task; of one that is tried again, the next attempt is paused.
  yield* sql`
    CREATE TRIGGER gates_task_ended AFTER INSERT ON outbox WHEN NEW.kind = 'task' BEGIN
      UPDATE gates SET name = NEW.retried_by WHERE scope = 'task' AND name = NEW.id AND NEW.retried_by IS NOT NULL;
      DELETE FROM gates WHERE scope = 'task' AND name = NEW.id;
    END
  `

  yield* sql`
    CREATE TRIGGER gates_pipeline_ended AFTER INSERT ON outbox WHEN NEW.kind = 'pipeline' BEGIN
      DELETE FROM gates WHERE scope = 'pipeline' AND name = NEW.id;
    END
  `

  yield* sql`
    CREATE TABLE task_groups (
      name TEXT PRIMARY KEY CHECK (name <> ''),
      max_running INTEGER CHECK (max_running > 0),
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
  `
})
