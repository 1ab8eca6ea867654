/** Every store accepts exactly the edges that neither go in circles nor stand too high, whatever was edited and has ended before. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { patience, runs } from "../fuzz/effort.ts"
import { anyHistory, playHistory, staleLevels } from "../support/edgeModel.ts"
import { memory, testSql } from "../support/stores.ts"

/** What bounds the search for a cycle: nobody stands as low as a task that he waits for. */
const levelsHold = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const wrong = yield* sql`
    SELECT edge.task_id, edge.upstream_id, tasks.level AS own, upstream.level AS upstream
    FROM task_dependencies edge
    JOIN tasks ON tasks.id = edge.task_id
    JOIN tasks upstream ON upstream.id = edge.upstream_id
    WHERE edge.state = 'pending' AND tasks.level <= upstream.level
  `
  assert.deepStrictEqual(wrong, [])
})

describe("edges that are edited at random", () => {
  it.effect(
    "over SQL",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(anyHistory, (history) =>
            Effect.runPromise(Effect.provide(playHistory(history, levelsHold), testSql))
          ),
          { numRuns: runs(8), examples: [[staleLevels]] }
        )
      ),
    patience
  )

  it.effect(
    "in memory",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(anyHistory, (history) =>
            Effect.runPromise(Effect.provide(playHistory(history, Effect.void), memory.layer))
          ),
          { numRuns: runs(8), examples: [[staleLevels]] }
        )
      ),
    patience
  )
})
