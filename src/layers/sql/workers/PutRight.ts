/** What a wrong clock has left is corrected, on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Paths } from "../../../services/Paths.ts"
import { PutRight } from "../../../services/PutRight.ts"
import { makeRightPeriods } from "../budgets/rightPeriods.ts"
import { makeAccess } from "../database/Immediate.ts"
import { makeRightWindows } from "../limits/rightWindows.ts"
import { makeRightPauses } from "../queue/rightPauses.ts"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { writeWork } = makeAccess(sql, database)

  return PutRight.of({
    all: Effect.all({
      pauses: makeRightPauses(sql),
      accounts: makeRightWindows(sql),
      budgets: makeRightPeriods(sql)
    }).pipe(writeWork("putRight"), Effect.withSpan("PutRight.all"))
  })
})

export const layer = Layer.effect(PutRight, make)
