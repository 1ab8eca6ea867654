/** The messages to agents: what was said, and how far it got. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE messages (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      kind TEXT NOT NULL CHECK (kind IN ('say', 'line', 'interrupt')),
      sender TEXT NOT NULL,
      at INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('stored', 'written', 'taken', 'moved', 'dropped')),
      claim_id TEXT,
      written_at INTEGER,
      taken_at INTEGER,
      moved_to TEXT,
      reason TEXT,
      body TEXT NOT NULL,
      CHECK ((state = 'written') = (claim_id IS NOT NULL)),
      CHECK ((state = 'taken') = (taken_at IS NOT NULL)),
      CHECK ((state = 'moved') = (moved_to IS NOT NULL)),
      CHECK ((state = 'dropped') = (reason IS NOT NULL))
    ) STRICT
  `
  yield* sql`CREATE INDEX messages_task ON messages (task_id, seq)`
  yield* sql`CREATE INDEX messages_stored ON messages (task_id) WHERE state = 'stored'`
  yield* sql`CREATE INDEX messages_claim ON messages (claim_id) WHERE claim_id IS NOT NULL`

  yield* sql`
    CREATE TRIGGER messages_final BEFORE UPDATE ON messages WHEN OLD.state IN ('taken', 'moved', 'dropped') BEGIN
      SELECT RAISE(ABORT, 'a message that was taken, moved or dropped never changes');
    END
  `
  // What was not confirmed before the claim ended is still to be said. A turn that was to be interrupted has ended with it.
  yield* sql`
    CREATE TRIGGER messages_unconfirmed AFTER DELETE ON claims BEGIN
      UPDATE messages SET state = 'stored', claim_id = NULL
      WHERE claim_id = OLD.claim_id AND state = 'written' AND kind = 'say';
      UPDATE messages SET state = 'dropped', claim_id = NULL, reason = 'its turn had ended'
      WHERE task_id = OLD.task_id AND state IN ('stored', 'written') AND kind = 'interrupt';
    END
  `
  // Each task that ends: mostly there are none.
  yield* sql`
    CREATE TRIGGER messages_retried AFTER UPDATE OF status ON tasks WHEN NEW.retried_by IS NOT NULL BEGIN
      UPDATE messages SET task_id = NEW.retried_by WHERE task_id = NEW.id AND state = 'stored';
    END
  `
  yield* sql`
    CREATE TRIGGER messages_cancelled AFTER UPDATE OF status ON tasks WHEN NEW.status = 'cancelled' BEGIN
      UPDATE messages SET state = 'dropped', reason = 'the task was cancelled'
      WHERE task_id = NEW.id AND state = 'stored';
    END
  `
})
