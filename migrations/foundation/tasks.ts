/** The tables of the foundation: tasks, their inputs, output and the outbox. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE environments (
      id TEXT PRIMARY KEY,
      variables TEXT NOT NULL
    ) STRICT
  `

  // The long answer is the last column, so that reading the others never walks its pages.
  yield* sql`
    CREATE TABLE tasks (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      title TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
      priority TEXT NOT NULL CHECK (priority IN ('P0', 'P1', 'P2')),
      agent TEXT NOT NULL,
      model TEXT,
      account TEXT,
      lane INTEGER NOT NULL DEFAULT 1,
      directory TEXT NOT NULL,
      timeout_ms INTEGER,
      time_left_ms INTEGER,
      stall_ms INTEGER,
      max_output_bytes INTEGER NOT NULL,
      not_before INTEGER,
      depth INTEGER NOT NULL,
      parent_id TEXT,
      traceparent TEXT,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      retry_of TEXT,
      root_id TEXT,
      retried_by TEXT,
      uid INTEGER,
      continuation TEXT CHECK (continuation IN ('retry', 'session', 'checkpoint')),
      continue_from TEXT,
      waiting_on INTEGER NOT NULL DEFAULT 0 CHECK (waiting_on >= 0),
      asks INTEGER NOT NULL DEFAULT 0 CHECK (asks >= 0),
      level INTEGER NOT NULL DEFAULT 0,
      revision INTEGER NOT NULL DEFAULT 0,
      max_retries INTEGER NOT NULL DEFAULT 0,
      backoff_ms INTEGER NOT NULL DEFAULT 0,
      on_limit TEXT NOT NULL DEFAULT 'park' CHECK (on_limit IN ('park', 'fail')),
      give_up_ms INTEGER NOT NULL DEFAULT 604800000,
      gives_up_at INTEGER,
      fallback TEXT NOT NULL DEFAULT '[]',
      spare INTEGER NOT NULL DEFAULT 0 CHECK (spare IN (0, 1)),
      parks INTEGER NOT NULL DEFAULT 0 CHECK (parks >= 0),
      parked_at INTEGER,
      frozen_at INTEGER,
      wakes INTEGER NOT NULL DEFAULT 0 CHECK (wakes >= 0),
      resume_session TEXT,
      pipeline_id TEXT,
      "group" TEXT,
      goal_id TEXT,
      workspace_id TEXT,
      start_commit TEXT,
      idempotency_key TEXT UNIQUE,
      labels TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      cancel_requested_at INTEGER,
      cancel_reason TEXT,
      cancelled_by TEXT,
      cause TEXT CHECK (cause IN ('exit', 'signal', 'timeout', 'stalled', 'cancelled', 'spawn-failed', 'agent-error',
        'dependency-failed', 'owner-lost', 'output-limit', 'rejected')),
      exit_code INTEGER,
      signal TEXT,
      error TEXT,
      failure_class TEXT CHECK (failure_class IN ('auth', 'usage-limit', 'rate', 'overloaded', 'network', 'model',
        'max-turns', 'budget', 'agent', 'unknown')),
      failure_reset_at INTEGER,
      leftovers INTEGER NOT NULL DEFAULT 0,
      session_id TEXT,
      usage TEXT,
      answer TEXT,
      CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
      CHECK ((ended_at IS NULL) = (cause IS NULL)),
      CHECK (status <> 'running' OR started_at IS NOT NULL),
      CHECK (ended_at IS NULL OR asks = 0),
      CHECK (frozen_at IS NULL OR status = 'running'),
      CHECK (parked_at IS NULL OR status IN ('queued', 'cancelled', 'failed'))
    ) STRICT
  `
  // Carries what a claim looks at, so that passing over tasks that are not due reads no row. Those that are blocked, or
  // wait for an answer, are not in it.
  yield* sql`
    CREATE INDEX tasks_ready ON tasks (lane, priority, seq, not_before, cancel_requested_at, uid, workspace_id,
      pipeline_id, id, goal_id)
    WHERE status = 'queued' AND waiting_on = 0 AND asks = 0
  `
  yield* sql`
    CREATE INDEX tasks_due ON tasks (not_before) WHERE status = 'queued' AND waiting_on = 0 AND not_before IS NOT NULL
  `
  yield* sql`
    CREATE INDEX tasks_fallback ON tasks (lane, seq) WHERE status = 'queued' AND waiting_on = 0 AND fallback <> '[]'
  `
  yield* sql`CREATE INDEX tasks_group ON tasks ("group", status, seq) WHERE "group" IS NOT NULL`
  yield* sql`CREATE INDEX tasks_root ON tasks (root_id, seq) WHERE root_id IS NOT NULL`
  yield* sql`CREATE INDEX tasks_goal ON tasks (goal_id, status) WHERE goal_id IS NOT NULL`
  yield* sql`CREATE INDEX tasks_status ON tasks (status, seq)`
  yield* sql`CREATE INDEX tasks_agent ON tasks (agent, seq)`
  yield* sql`CREATE INDEX tasks_directory ON tasks (directory, seq)`
  yield* sql`CREATE INDEX tasks_parent ON tasks (parent_id, seq) WHERE parent_id IS NOT NULL`
  yield* sql`CREATE INDEX tasks_created ON tasks (created_at)`
  yield* sql`CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL`
  yield* sql`
    CREATE INDEX tasks_cancel ON tasks (cancel_requested_at) WHERE status = 'running' AND cancel_requested_at IS NOT NULL
  `

  yield* sql`
    CREATE TABLE task_inputs (
      task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
      environment_id TEXT NOT NULL REFERENCES environments (id),
      launch TEXT NOT NULL,
      system_prompt TEXT,
      prompt TEXT NOT NULL
    ) STRICT
  `
  yield* sql`CREATE INDEX task_inputs_environment ON task_inputs (environment_id)`

  // By arrival within a label, so that a list walks it newest first and stops at its limit.
  yield* sql`
    CREATE TABLE task_labels (
      task_seq INTEGER NOT NULL REFERENCES tasks (seq) ON DELETE CASCADE,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (key, value, task_seq)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX task_labels_task ON task_labels (task_seq)`

  // A row per status, kept by triggers: counting costs the same with ten tasks and with a million.
  yield* sql`CREATE TABLE task_counts (status TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID`
  yield* sql`
    INSERT INTO task_counts (status, count)
    VALUES ('queued', 0), ('running', 0), ('completed', 0), ('failed', 0), ('cancelled', 0)
  `
  yield* sql`
    CREATE TRIGGER tasks_counted_insert AFTER INSERT ON tasks BEGIN
      UPDATE task_counts SET count = count + 1 WHERE status = NEW.status;
    END
  `
  yield* sql`
    CREATE TRIGGER tasks_counted_delete AFTER DELETE ON tasks BEGIN
      UPDATE task_counts SET count = count - 1 WHERE status = OLD.status;
    END
  `
  yield* sql`
    CREATE TRIGGER tasks_counted_update AFTER UPDATE OF status ON tasks WHEN OLD.status <> NEW.status BEGIN
      UPDATE task_counts SET count = count - 1 WHERE status = OLD.status;
      UPDATE task_counts SET count = count + 1 WHERE status = NEW.status;
    END
  `

  yield* sql`
    CREATE TRIGGER tasks_start_queued BEFORE INSERT ON tasks WHEN NEW.status <> 'queued' BEGIN
      SELECT RAISE(ABORT, 'a task starts as queued');
    END
  `
  yield* sql`
    CREATE TRIGGER tasks_terminal_is_final BEFORE UPDATE ON tasks
    WHEN OLD.status IN ('completed', 'failed', 'cancelled') BEGIN
      SELECT RAISE(ABORT, 'a task that has ended never changes');
    END
  `
  yield* sql`
    CREATE TRIGGER tasks_steps BEFORE UPDATE OF status ON tasks
    WHEN OLD.status <> NEW.status
      AND NOT (OLD.status = 'queued' AND NEW.status IN ('running', 'failed', 'cancelled'))
      AND NOT (OLD.status = 'running' AND NEW.status IN ('queued', 'completed', 'failed', 'cancelled')) BEGIN
      SELECT RAISE(ABORT, 'no such step');
    END
  `

  yield* sql`
    CREATE TABLE task_output (
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      stream TEXT NOT NULL CHECK (stream IN ('stdout', 'stderr')),
      "offset" INTEGER NOT NULL,
      size INTEGER NOT NULL,
      at INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (task_id, seq)
    ) STRICT
  `
  yield* sql`CREATE UNIQUE INDEX task_output_offset ON task_output (task_id, stream, "offset")`

  yield* sql`
    CREATE TABLE task_streams (
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      stream TEXT NOT NULL CHECK (stream IN ('stdout', 'stderr')),
      size INTEGER NOT NULL,
      stored INTEGER NOT NULL,
      dropped INTEGER NOT NULL,
      dropped_at INTEGER,
      base INTEGER NOT NULL DEFAULT 0,
      emptied INTEGER NOT NULL DEFAULT 0,
      since INTEGER NOT NULL DEFAULT 0,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (task_id, stream),
      CHECK (size = stored + dropped)
    ) STRICT, WITHOUT ROWID
  `

  yield* sql`
    CREATE TABLE outbox (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL CHECK (kind IN ('task', 'pipeline')),
      id TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
      cause TEXT,
      at INTEGER NOT NULL,
      retried_by TEXT,
      CHECK ((kind = 'task') = (cause IS NOT NULL))
    ) STRICT
  `
  yield* sql`CREATE UNIQUE INDEX outbox_subject ON outbox (id, kind)`
})
