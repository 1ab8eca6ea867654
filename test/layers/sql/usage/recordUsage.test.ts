/** The end of a task does not depend on what the ledger has of its session. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { priced, type Spending } from "../../../../src/domain/usage/ModelUse.ts"
import { noTokens } from "../../../../src/domain/usage/TokenCounts.ts"
import { Ledger } from "../../../../src/services/Ledger.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { testSql } from "../../../support/stores.ts"
import { completed, submitAndClaim } from "../../../support/tasks.ts"

const rates = { input: 100_000, output: 100_000 }

const spent = (inputTokens: number): Spending => ({
  sessionId: "s-1",
  cumulative: true,
  uses: [priced({ ...noTokens, inputTokens, model: "m", costUsd: null }, rates)]
})

const runs = (inputTokens: number) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const { claim, task } = yield* submitAndClaim({ agent: "codex" })
    yield* queue.finish(task.id, { ...completed, spending: spent(inputTokens) }, claim)
  })

const total = Effect.flatMap(Ledger, (ledger) => ledger.report({ from: 0, to: 1e12, by: ["agent"], days: [] })).pipe(
  Effect.map((report) => report.total)
)

describe("the ledger in SQL", () => {
  it.effect("takes the count of a session that cannot be read for none", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* runs(100)
      yield* sql`UPDATE session_totals SET input_tokens = -5`
      yield* runs(130)
      assert.deepInclude(yield* total, { runs: 2, inputTokens: 230 })
      yield* runs(150)
      assert.deepInclude(yield* total, { runs: 3, inputTokens: 250 })
    }).pipe(Effect.provide(testSql))
  )

  it.effect("takes the highest counts that an agent can print, at the highest price", () =>
    Effect.gen(function* () {
      yield* runs(Number.MAX_SAFE_INTEGER)
      assert.deepInclude(yield* total, { runs: 1, inputTokens: Number.MAX_SAFE_INTEGER })
    }).pipe(Effect.provide(testSql))
  )
})
