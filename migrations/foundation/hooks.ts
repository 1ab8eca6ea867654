/** Hooks: how far each has read the notices, and what is on its way to it. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Notices up to `seq` are decided: those that the hook selects are in `deliveries`.
  yield* sql`
    CREATE TABLE hook_cursors (
      hook TEXT PRIMARY KEY,
      seq INTEGER NOT NULL CHECK (seq >= 0)
    ) STRICT, WITHOUT ROWID
  `

  // The message is stored: it is the same over all attempts, also when its task is deleted meanwhile. `set_at` is when the row was
  // changed last, and so when `next_at` was worked out: one that lies in the future shows that the clock was set back since.
  yield* sql`
    CREATE TABLE deliveries (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      hook TEXT NOT NULL,
      seq INTEGER NOT NULL,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      task_id TEXT,
      state TEXT NOT NULL CHECK (state IN ('due', 'sending', 'summed', 'done', 'dead')),
      attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      first_at INTEGER,
      next_at INTEGER,
      set_at INTEGER NOT NULL,
      sender TEXT,
      lead INTEGER,
      last TEXT,
      created_at INTEGER NOT NULL,
      ended_at INTEGER,
      body TEXT NOT NULL,
      UNIQUE (hook, seq),
      CHECK ((state = 'due') = (next_at IS NOT NULL)),
      CHECK ((state = 'sending') = (sender IS NOT NULL)),
      CHECK (state <> 'summed' OR lead IS NOT NULL),
      CHECK ((state IN ('done', 'dead')) = (ended_at IS NOT NULL))
    ) STRICT
  `
  yield* sql`CREATE INDEX deliveries_due ON deliveries (next_at, number) WHERE state = 'due'`
  yield* sql`CREATE INDEX deliveries_sending ON deliveries (sender) WHERE state = 'sending'`
  yield* sql`CREATE INDEX deliveries_state ON deliveries (hook, state, number)`
  // In blocks: each costs a moment, and the record of what is over has a bound.
  yield* sql`
    CREATE TRIGGER deliveries_kept AFTER INSERT ON deliveries WHEN NEW.number % 100 = 0 BEGIN
      DELETE FROM deliveries WHERE number <= NEW.number - 10000 AND state IN ('done', 'dead');
    END
  `
})
