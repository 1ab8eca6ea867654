/** Loops, the tasks that each of their rounds starts, and how the rounds ended. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE loops (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      title TEXT NOT NULL,
      agent TEXT NOT NULL,
      directory TEXT NOT NULL,
      rules TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'passed', 'target', 'stale', 'exhausted', 'budget',
        'deadline', 'cancelled', 'failed')),
      round INTEGER NOT NULL CHECK (round >= 0),
      max_rounds INTEGER NOT NULL CHECK (max_rounds BETWEEN 1 AND 1000),
      steps INTEGER NOT NULL DEFAULT 1 CHECK (steps >= 1),
      -- No reference: a loop that has ended never changes, also when its task is pruned.
      step_task TEXT UNIQUE,
      best_round INTEGER,
      best_score REAL,
      spent_usd REAL NOT NULL DEFAULT 0,
      pause_requested_at INTEGER,
      cancel_requested_at INTEGER,
      cancel_reason TEXT,
      cancelled_by TEXT,
      created_at INTEGER NOT NULL,
      ended_at INTEGER,
      CHECK (round <= max_rounds),
      CHECK ((status IN ('running', 'paused')) = (ended_at IS NULL))
    ) STRICT
  `
  yield* sql`CREATE INDEX loops_status ON loops (status, seq)`
  yield* sql`
    CREATE TRIGGER loops_ended_is_final BEFORE UPDATE ON loops WHEN OLD.ended_at IS NOT NULL BEGIN
      SELECT RAISE(ABORT, 'a loop that has ended never changes');
    END
  `

  // Here and not in any process: the task is held in the transaction that stores its loop, and released by whichever ends it.
  yield* sql`
    CREATE TRIGGER loops_hold_task AFTER INSERT ON loops WHEN NEW.step_task IS NOT NULL BEGIN
      INSERT INTO gates (scope, name, until_at, reason, closed_by, at)
      VALUES ('task', NEW.step_task, NULL, 'its loop is open: beat loop status ' || NEW.id, 'backbeat', NEW.created_at)
      ON CONFLICT (scope, name) DO NOTHING;
    END
  `
  yield* sql`
    CREATE TRIGGER loops_release_task AFTER UPDATE OF ended_at ON loops
    WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL AND NEW.step_task IS NOT NULL BEGIN
      DELETE FROM gates WHERE scope = 'task' AND name = NEW.step_task AND closed_by = 'backbeat';
      -- What is in the workspace of the task is replaced by the best round.
      UPDATE tasks SET start_commit = (
        SELECT "commit" FROM loop_rounds WHERE loop_id = NEW.id AND round = NEW.best_round
      ) WHERE id = NEW.step_task AND ended_at IS NULL AND workspace_id IS NOT NULL;
    END
  `

  // Captured as a task's inputs are: a round needs nothing from the process that starts it.
  yield* sql`
    CREATE TABLE loop_tasks (
      loop_id TEXT NOT NULL REFERENCES loops (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('work', 'until', 'score', 'judge')),
      name TEXT,
      environment_id TEXT NOT NULL REFERENCES environments (id),
      task TEXT NOT NULL,
      PRIMARY KEY (loop_id, position)
    ) STRICT
  `
  yield* sql`CREATE INDEX loop_tasks_environment ON loop_tasks (environment_id)`

  yield* sql`
    CREATE TABLE loop_rounds (
      loop_id TEXT NOT NULL REFERENCES loops (id) ON DELETE CASCADE,
      round INTEGER NOT NULL CHECK (round >= 1),
      verdict TEXT CHECK (verdict IN ('pass', 'fail', 'error', 'tampered')),
      score REAL,
      kept INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1)),
      start_commit TEXT,
      "commit" TEXT,
      tree TEXT,
      files INTEGER,
      tampered TEXT,
      feedback TEXT,
      work_error TEXT,
      started_at INTEGER NOT NULL,
      ended_at INTEGER,
      PRIMARY KEY (loop_id, round),
      CHECK ((verdict IS NULL) = (ended_at IS NULL))
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`
    CREATE TRIGGER loop_rounds_judged_is_final BEFORE UPDATE ON loop_rounds WHEN OLD.verdict IS NOT NULL BEGIN
      SELECT RAISE(ABORT, 'the verdict of a round never changes');
    END
  `

  yield* sql`
    CREATE TABLE loop_round_tasks (
      loop_id TEXT NOT NULL REFERENCES loops (id) ON DELETE CASCADE,
      round INTEGER NOT NULL,
      position INTEGER NOT NULL,
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE RESTRICT,
      PRIMARY KEY (loop_id, round, position)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX loop_round_tasks_task ON loop_round_tasks (task_id)`
})
