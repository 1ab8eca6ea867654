/** Contests, their candidates with their verdicts, and the tasks of each candidate. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE contests (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      title TEXT NOT NULL,
      directory TEXT NOT NULL,
      rules TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('running', 'passed', 'failed', 'cancelled')),
      winner INTEGER,
      cancel_requested_at INTEGER,
      cancel_reason TEXT,
      cancelled_by TEXT,
      created_at INTEGER NOT NULL,
      ended_at INTEGER,
      CHECK ((status = 'running') = (ended_at IS NULL)),
      CHECK ((status = 'passed') = (winner IS NOT NULL))
    ) STRICT
  `
  yield* sql`
    CREATE TRIGGER contests_ended_is_final BEFORE UPDATE ON contests WHEN OLD.ended_at IS NOT NULL BEGIN
      SELECT RAISE(ABORT, 'a contest that has ended never changes');
    END
  `

  yield* sql`
    CREATE TABLE contest_candidates (
      contest_id TEXT NOT NULL REFERENCES contests (id) ON DELETE CASCADE,
      number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 16),
      verdict TEXT CHECK (verdict IN ('pass', 'fail', 'error', 'tampered')),
      score REAL,
      tampered TEXT,
      judged_at INTEGER,
      PRIMARY KEY (contest_id, number),
      CHECK ((verdict IS NULL) = (judged_at IS NULL))
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`
    CREATE TRIGGER contest_candidates_judged_is_final BEFORE UPDATE ON contest_candidates WHEN OLD.verdict IS NOT NULL BEGIN
      SELECT RAISE(ABORT, 'the verdict of a candidate never changes');
    END
  `

  // The choice of a pipeline step has the number 0.
  yield* sql`
    CREATE TABLE contest_tasks (
      contest_id TEXT NOT NULL REFERENCES contests (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      position INTEGER NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('setup', 'work', 'check', 'score', 'choice')),
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE RESTRICT,
      PRIMARY KEY (contest_id, number, position)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX contest_tasks_task ON contest_tasks (task_id)`
})
