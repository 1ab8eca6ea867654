/**
 * The times that a worker sleeps until, on SQLite. Each condition of the claim that compares a column with the clock has its line here:
 * what is missing is found half a minute late. Not among the light services, which have no use for it.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { doublingMs, mostDoublings } from "../../../domain/limits/Places.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import { DueTimes } from "../../../services/DueTimes.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { deadlineOfLoop } from "../loops/roundDeadline.ts"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read } = makeAccess(sql, database)

  const findNext = Statement.findOne(() => ({
    Request: Timestamp,
    Result: Schema.Struct({ at: Timestamp }),
    execute: (since) => sql`
      SELECT at FROM (
        SELECT min(not_before) AS at FROM tasks INDEXED BY tasks_due
        WHERE status = 'queued' AND waiting_on = 0 AND not_before > ${since}
        UNION ALL SELECT min(gives_up_at) FROM tasks INDEXED BY tasks_gives_up
        WHERE status = 'queued' AND gives_up_at > ${since}
        UNION ALL SELECT min(until_at) FROM gates WHERE until_at > ${since}
        UNION ALL SELECT min("to") FROM budgets WHERE "to" > ${since}
        UNION ALL SELECT min(opens_at) FROM lanes WHERE opens_at > ${since}
        UNION ALL SELECT min(shuts_at) FROM lanes WHERE shuts_at > ${since}
        UNION ALL SELECT min(CASE WHEN ${since} < places_at THEN places_at
          ELSE ${since} - (${since} - places_at) % ${doublingMs} END + ${doublingMs})
        FROM accounts WHERE places > 1 AND ${since} - places_at < ${doublingMs * mostDoublings}
        UNION ALL SELECT min(goals.deadline) FROM loops CROSS JOIN goals
        WHERE loops.status = 'running' AND goals.loop_id = loops.id AND goals.stop IS NULL AND goals.deadline > ${since}
        UNION ALL SELECT min(${deadlineOfLoop(sql)}) FROM loops
        WHERE loops.status = 'running' AND ${deadlineOfLoop(sql)} > ${since}
      ) AS times WHERE at IS NOT NULL ORDER BY at LIMIT 1
    `
  }))

  return DueTimes.of({
    next: Effect.fn("DueTimes.next")((since) =>
      findNext(since).pipe(Effect.map(Option.map(({ at }) => at)), read("dueTimes"))
    )
  })
})

export const layer = Layer.effect(DueTimes, make)
