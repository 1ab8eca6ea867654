/** What a wrong clock has left is corrected, on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SeenClock } from "../../../domain/worker/SeenClock.ts"
import { Paths } from "../../../services/Paths.ts"
import { PutRight } from "../../../services/PutRight.ts"
import { makeRightPeriods } from "../budgets/rightPeriods.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeRightWindows } from "../limits/rightWindows.ts"
import { makeRightPauses } from "../queue/rightPauses.ts"

/** Machines that share a home have a boot each. */
const boots = 10

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read, write, writeWork } = makeAccess(sql, database)

  const findSeen = Statement.findOne(() => ({
    Request: Schema.String,
    Result: SeenClock,
    execute: (bootId) => sql`SELECT boot_id, wall_at, since_boot FROM clocks WHERE boot_id = ${bootId}`
  }))

  return PutRight.of({
    all: Effect.all({
      pauses: makeRightPauses(sql),
      accounts: makeRightWindows(sql),
      budgets: makeRightPeriods(sql)
    }).pipe(writeWork("putRight"), Effect.withSpan("PutRight.all")),

    seen: Effect.fn("PutRight.seen")((bootId) => findSeen(bootId).pipe(read("seenClock"))),

    see: Effect.fn("PutRight.see")(({ bootId, sinceBoot, wallAt }) =>
      Effect.zipRight(
        sql`
          INSERT INTO clocks (boot_id, wall_at, since_boot) VALUES (${bootId}, ${wallAt}, ${sinceBoot})
          ON CONFLICT (boot_id) DO UPDATE SET wall_at = excluded.wall_at, since_boot = excluded.since_boot
        `,
        // The clock may have been ahead at an earlier boot, so this one is named.
        sql`
          DELETE FROM clocks WHERE boot_id <> ${bootId} AND boot_id NOT IN (
            SELECT boot_id FROM clocks ORDER BY wall_at DESC LIMIT ${boots}
          )
        `
      ).pipe(Effect.asVoid, write("seeClock"))
    )
  })
})

export const layer = Layer.effect(PutRight, make)
