/** Schedules, what a run of each starts, and what happened at their times. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE schedules (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      name TEXT,
      kind TEXT NOT NULL CHECK (kind IN ('task', 'pipeline', 'loop')),
      title TEXT NOT NULL,
      agent TEXT NOT NULL,
      directory TEXT NOT NULL,
      timing TEXT NOT NULL,
      missed TEXT NOT NULL CHECK (missed IN ('skip', 'run-once', 'run-all')),
      grace_ms INTEGER NOT NULL,
      overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'queue', 'cancel-previous', 'allow')),
      jitter_ms INTEGER NOT NULL,
      max_runs INTEGER CHECK (max_runs > 0),
      expires_at INTEGER,
      follows TEXT REFERENCES schedules (id) ON DELETE SET NULL,
      status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'completed', 'expired', 'cancelled')),
      reason TEXT,
      next_due_at INTEGER,
      next_fire_at INTEGER,
      runs INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0),
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      revision INTEGER NOT NULL DEFAULT 0,
      CHECK ((status = 'active') = (next_fire_at IS NOT NULL)),
      CHECK ((next_due_at IS NULL) = (next_fire_at IS NULL))
    ) STRICT
  `
  yield* sql`CREATE INDEX schedules_fire ON schedules (next_fire_at, seq) WHERE status = 'active'`
  yield* sql`CREATE INDEX schedules_status ON schedules (status, seq)`
  yield* sql`CREATE INDEX schedules_follows ON schedules (follows) WHERE follows IS NOT NULL`
  yield* sql`CREATE INDEX schedules_named ON schedules (name) WHERE name IS NOT NULL`
  // A name is free again once its schedule is over.
  yield* sql`
    CREATE UNIQUE INDEX schedules_name ON schedules (name)
    WHERE name IS NOT NULL AND status IN ('active', 'paused')
  `
  yield* sql`
    CREATE TRIGGER schedules_cancelled_is_final BEFORE UPDATE ON schedules
    -- One that it followed may be forgotten before it: that alone leaves the revision as it is.
    WHEN OLD.status = 'cancelled' AND (NEW.status <> OLD.status OR NEW.revision <> OLD.revision) BEGIN
      SELECT RAISE(ABORT, 'a schedule that was cancelled never changes');
    END
  `

  // Captured as a task's inputs are: a run needs nothing from the process that fires it.
  yield* sql`
    CREATE TABLE schedule_tasks (
      schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      environment_id TEXT NOT NULL REFERENCES environments (id),
      step TEXT,
      task TEXT NOT NULL,
      PRIMARY KEY (schedule_id, position)
    ) STRICT
  `
  yield* sql`CREATE INDEX schedule_tasks_environment ON schedule_tasks (environment_id)`

  // One row for each due time: the second process to arrive finds it there.
  yield* sql`
    CREATE TABLE schedule_executions (
      schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
      due_at INTEGER NOT NULL,
      origin TEXT NOT NULL CHECK (origin IN ('time', 'manual')),
      status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled', 'skipped', 'missed')),
      reason TEXT,
      at INTEGER NOT NULL,
      task_id TEXT,
      pipeline_id TEXT,
      ended_at INTEGER,
      until_at INTEGER,
      count INTEGER NOT NULL DEFAULT 1 CHECK (count > 0),
      PRIMARY KEY (schedule_id, due_at),
      CHECK ((status IN ('skipped', 'missed')) = (task_id IS NULL AND pipeline_id IS NULL)),
      CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL))
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX schedule_executions_open ON schedule_executions (schedule_id, due_at) WHERE status = 'running'`
  yield* sql`CREATE INDEX schedule_executions_task ON schedule_executions (task_id) WHERE status = 'running'`
  yield* sql`CREATE INDEX schedule_executions_pipeline ON schedule_executions (pipeline_id) WHERE status = 'running'`

  // Here and not in any process: whatever transaction ends a task or a pipeline ends its execution, at the cost of one
  // look into an index that holds only what runs.
  yield* sql`
    CREATE TRIGGER schedule_executions_task_retried AFTER INSERT ON outbox
    WHEN NEW.kind = 'task' AND NEW.retried_by IS NOT NULL BEGIN
      UPDATE schedule_executions SET task_id = NEW.retried_by WHERE task_id = NEW.id AND status = 'running';
    END
  `
  yield* sql`
    CREATE TRIGGER schedule_executions_task_ended AFTER INSERT ON outbox
    WHEN NEW.kind = 'task' AND NEW.retried_by IS NULL BEGIN
      UPDATE schedule_executions SET status = NEW.status, ended_at = NEW.at
      WHERE task_id = NEW.id AND status = 'running';
    END
  `
  yield* sql`
    CREATE TRIGGER schedule_executions_pipeline_ended AFTER INSERT ON outbox WHEN NEW.kind = 'pipeline' BEGIN
      UPDATE schedule_executions SET ended_at = NEW.at, status = CASE
          -- Every step was passed over, because what the run was to wait for ended otherwise.
          WHEN NEW.status = 'completed'
            AND NOT EXISTS (SELECT 1 FROM tasks WHERE pipeline_id = NEW.id AND started_at IS NOT NULL)
          THEN 'cancelled' ELSE NEW.status END
      WHERE pipeline_id = NEW.id AND status = 'running';
    END
  `
})
