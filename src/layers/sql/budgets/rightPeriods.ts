/** Corrects budgets that count in a period which is not the present one, because the clock on the wall was wrong. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { periodAt } from "../../../domain/budgets/Period.ts"
import { remarked } from "../../../domain/budgets/Spend.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { StandingRow, standingColumns } from "./StandingRow.ts"
import { makeSettle } from "./settle.ts"
import { makeSpentIn } from "./spentIn.ts"

/** Must run inside a transaction. Returns how many there were. */
export const makeRightPeriods = (sql: SqlClient.SqlClient) => {
  const settle = makeSettle(sql)
  const spentIn = makeSpentIn(sql)

  const findWrong = Statement.findAll(() => ({
    Request: Timestamp,
    Result: StandingRow,
    execute: (now) => sql`SELECT ${standingColumns(sql)} FROM budgets WHERE "from" > ${now} OR "to" <= ${now}`
  }))

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const wrong = yield* findWrong(now)
    for (const standing of wrong) {
      const period = periodAt(standing, now)
      // What was spent while the clock was ahead is spent. Its rows in the ledger are of the other period, and stay there.
      const ahead = standing.from > now ? standing.spent : 0
      const spent = ahead + (yield* spentIn(standing, period))
      yield* settle.save(remarked({ ...standing, ...period, spent, warnedAt: null, trippedAt: null }, now))
    }
    return wrong.length
  })
}
