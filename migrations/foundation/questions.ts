/** Questions of agents to people. How many of a task are open is kept with the task, where the claim looks. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `claim_id`: the claim whose turn begins with the answer.
  yield* sql`
    CREATE TABLE questions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      task_id TEXT REFERENCES tasks (id) ON DELETE CASCADE,
      asked_by TEXT NOT NULL,
      digest TEXT NOT NULL,
      text TEXT NOT NULL,
      options TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'taken', 'gone')),
      asked_at INTEGER NOT NULL,
      answer TEXT,
      denied INTEGER NOT NULL DEFAULT 0 CHECK (denied IN (0, 1)),
      answered_by TEXT,
      answered_at INTEGER,
      claim_id TEXT,
      CHECK ((state IN ('answered', 'taken')) = (answer IS NOT NULL)),
      CHECK ((answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answered_at IS NULL))
    ) STRICT
  `
  yield* sql`CREATE UNIQUE INDEX questions_text ON questions (task_id, digest) WHERE task_id IS NOT NULL`
  yield* sql`CREATE INDEX questions_open ON questions (id) WHERE state = 'open'`
  yield* sql`CREATE INDEX questions_untaken ON questions (task_id) WHERE state = 'answered'`
  yield* sql`CREATE INDEX questions_claim ON questions (claim_id) WHERE claim_id IS NOT NULL`
  yield* sql`CREATE INDEX questions_asker ON questions (asked_by, digest) WHERE task_id IS NULL`

  // What an agent has asked over its stream and was not told yet: 'ruled' is the answer of a rule, 'questions' are ids.
  yield* sql`
    CREATE TABLE agent_requests (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      claim_id TEXT NOT NULL,
      request_id TEXT NOT NULL,
      request TEXT NOT NULL,
      ruled TEXT,
      questions TEXT NOT NULL,
      written INTEGER NOT NULL DEFAULT 0 CHECK (written IN (0, 1)),
      UNIQUE (claim_id, request_id)
    ) STRICT
  `
  yield* sql`
    CREATE TRIGGER agent_requests_over AFTER DELETE ON claims BEGIN
      DELETE FROM agent_requests WHERE claim_id = OLD.claim_id;
    END
  `

  yield* sql`
    CREATE TRIGGER questions_asked AFTER INSERT ON questions WHEN NEW.task_id IS NOT NULL BEGIN
      UPDATE tasks SET asks = asks + 1 WHERE id = NEW.task_id;
    END
  `
  // A task that has ended never changes; its end has set the count to 0.
  yield* sql`
    CREATE TRIGGER questions_closed AFTER UPDATE OF state ON questions
    WHEN OLD.state = 'open' AND NEW.state <> 'open' AND NEW.task_id IS NOT NULL BEGIN
      UPDATE tasks SET asks = asks - 1 WHERE id = NEW.task_id AND ended_at IS NULL;
    END
  `
  // The turn that begins with the claim is given the answers.
  yield* sql`
    CREATE TRIGGER questions_taken AFTER INSERT ON claims BEGIN
      UPDATE questions SET state = 'taken', claim_id = NEW.claim_id
      WHERE task_id = NEW.task_id AND state = 'answered';
    END
  `
  yield* sql`
    CREATE TRIGGER questions_gone AFTER INSERT ON outbox WHEN NEW.kind = 'task' BEGIN
      UPDATE questions SET state = 'gone' WHERE task_id = NEW.id AND state = 'open';
    END
  `
})
