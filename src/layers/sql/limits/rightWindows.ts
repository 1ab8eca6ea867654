/** Corrects the windows of accounts that were seen while the clock on the wall was ahead, and when their lanes open. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AccountKey } from "../../../domain/limits/Account.ts"
import { afterSetBack } from "../../../domain/limits/afterSetBack.ts"
import * as Statement from "../database/Statement.ts"
import { makeWindows } from "./windows.ts"

/** Must run inside a transaction. Returns how many accounts had such windows. */
export const makeRightWindows = (sql: SqlClient.SqlClient) => {
  const windows = makeWindows(sql)

  const findGates = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ gate: AccountKey }),
    execute: () => sql`SELECT DISTINCT account AS gate FROM windows`
  }))

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    // The places of an account grow with the time since it was opened.
    yield* sql`UPDATE accounts SET places_at = ${now} WHERE places_at > ${now}`
    yield* sql`UPDATE accounts SET places_since = ${now} WHERE places_since > ${now}`
    let righted = 0
    for (const { gate } of yield* findGates()) {
      const before = yield* windows.find(gate)
      const after = before.map((window) => afterSetBack(window, now))
      if (before.some(({ observedAt }) => observedAt > now)) righted += 1
      yield* windows.replace(gate, before, after)
      // Its lanes may have opened by the other clock although no window has changed.
      yield* windows.reopen(gate, before)
    }
    return righted
  })
}
