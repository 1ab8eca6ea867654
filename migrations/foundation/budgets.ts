/** Budgets with what is spent of them in their present period, and the lanes whose tasks count against them. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `amount` and `spent` are millionths of a US dollar, or tokens. What agents that run have used is in their claims.
  yield* sql`
    CREATE TABLE budgets (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      scope TEXT NOT NULL CHECK (scope IN ('all', 'agent', 'directory', 'label', 'task', 'tree')),
      value TEXT NOT NULL,
      period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
      metric TEXT NOT NULL CHECK (metric IN ('usd', 'tokens')),
      amount INTEGER NOT NULL CHECK (amount > 0),
      warn_percent INTEGER NOT NULL CHECK (warn_percent BETWEEN 1 AND 100),
      action TEXT NOT NULL CHECK (action IN ('pause', 'stop')),
      timezone TEXT NOT NULL,
      "from" INTEGER NOT NULL,
      "to" INTEGER,
      spent INTEGER NOT NULL CHECK (spent >= 0),
      warned_at INTEGER,
      tripped_at INTEGER,
      CHECK ((scope = 'all') = (value = '')),
      CHECK ((period = 'total') = ("to" IS NULL))
    ) STRICT
  `
  yield* sql`CREATE INDEX budgets_value ON budgets (value, scope)`

  yield* sql`
    CREATE TABLE lane_budgets (
      lane INTEGER NOT NULL REFERENCES lanes (id) ON DELETE CASCADE,
      budget INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
      PRIMARY KEY (lane, budget)
    ) STRICT, WITHOUT ROWID
  `
  yield* sql`CREATE INDEX lane_budgets_budget ON lane_budgets (budget)`
})
