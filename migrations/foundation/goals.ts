/** Goals: the bounds of the trees of tasks below leads. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The goal of a loop. `tasks` and `wakes` only rise: what was pruned was used all the same.
  yield* sql`
    CREATE TABLE goals (
      loop_id TEXT PRIMARY KEY REFERENCES loops (id) ON DELETE CASCADE,
      max_tasks INTEGER NOT NULL CHECK (max_tasks >= 1),
      max_running INTEGER NOT NULL CHECK (max_running >= 1),
      max_depth INTEGER NOT NULL CHECK (max_depth >= 1),
      max_wakes INTEGER NOT NULL CHECK (max_wakes >= 0),
      deadline INTEGER,
      budget_usd REAL CHECK (budget_usd > 0),
      tasks INTEGER NOT NULL DEFAULT 0,
      wakes INTEGER NOT NULL DEFAULT 0,
      stop TEXT CHECK (stop IN ('budget', 'deadline')),
      CHECK (tasks <= max_tasks),
      CHECK (wakes <= max_wakes)
    ) STRICT, WITHOUT ROWID
  `
})
