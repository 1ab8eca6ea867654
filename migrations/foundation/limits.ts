/** Accounts with their windows, the lanes in which tasks wait for them, and when each task was parked. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // places NULL: no bound. 1: the next task asks whether the limit is over. Others double with time since places_at. Claims
  // from places_since on take them.
  yield* sql`
    CREATE TABLE accounts (
      key TEXT PRIMARY KEY,
      agent TEXT NOT NULL,
      places INTEGER CHECK (places > 0),
      places_at INTEGER NOT NULL DEFAULT 0,
      places_since INTEGER NOT NULL DEFAULT 0,
      joined_to TEXT,
      seen_at INTEGER NOT NULL
    ) STRICT
  `

  yield* sql`
    CREATE TABLE windows (
      account TEXT NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
      name TEXT NOT NULL,
      family TEXT NOT NULL,
      used REAL,
      closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
      resets_at INTEGER,
      length_ms INTEGER,
      refusals INTEGER NOT NULL,
      observed_at INTEGER NOT NULL,
      source TEXT,
      reason TEXT,
      PRIMARY KEY (account, name, family),
      CHECK (closed = 0 OR resets_at IS NOT NULL)
    ) STRICT, WITHOUT ROWID
  `

  // Tasks with the same gates are in one lane, so that a closed gate costs a claim nothing. Lane 1 has no gate.
  // `budgets` are ids, in order and with commas; the reserve is what a task of the lane is expected to cost. A lane of spare
  // tasks is open from opens_at to shuts_at, when the window whose room they use is over.
  yield* sql`
    CREATE TABLE lanes (
      id INTEGER PRIMARY KEY,
      account TEXT NOT NULL,
      gate TEXT NOT NULL,
      family TEXT NOT NULL,
      agent TEXT NOT NULL DEFAULT '',
      "group" TEXT NOT NULL DEFAULT '',
      spare INTEGER NOT NULL DEFAULT 0 CHECK (spare IN (0, 1)),
      budgets TEXT NOT NULL DEFAULT '',
      reserve_micro INTEGER NOT NULL DEFAULT 0,
      reserve_tokens INTEGER NOT NULL DEFAULT 0,
      opens_at INTEGER NOT NULL DEFAULT 0,
      shuts_at INTEGER,
      "window" TEXT,
      UNIQUE (account, family, agent, "group", spare, budgets),
      CHECK ((opens_at = 0) = ("window" IS NULL)),
      CHECK (shuts_at IS NULL OR spare = 1)
    ) STRICT
  `
  yield* sql`CREATE INDEX lanes_open ON lanes (opens_at)`
  yield* sql`CREATE INDEX lanes_gate ON lanes (gate)`
  yield* sql`INSERT INTO lanes (id, account, gate, family) VALUES (1, '', '', '')`

  yield* sql`
    CREATE TABLE parks (
      task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      n INTEGER NOT NULL,
      claim_id TEXT NOT NULL UNIQUE,
      at INTEGER NOT NULL,
      account TEXT,
      "window" TEXT NOT NULL,
      resets_at INTEGER,
      session_id TEXT,
      released_at INTEGER,
      PRIMARY KEY (task_id, n)
    ) STRICT, WITHOUT ROWID
  `

  // Tasks whose time for limits runs, and those that were told how long it is and have not met one.
  yield* sql`
    CREATE INDEX tasks_gives_up ON tasks (gives_up_at) WHERE status = 'queued' AND gives_up_at IS NOT NULL
  `
  yield* sql`
    CREATE INDEX tasks_bounded ON tasks (lane) WHERE status = 'queued' AND gives_up_at IS NULL AND give_up_ms <> 604800000
  `
})
