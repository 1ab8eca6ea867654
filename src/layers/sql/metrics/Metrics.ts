/** Tasks in numbers on SQLite: the database groups them, so that a hundred thousand ends are some rows. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { bucketSeconds, Tally } from "../../../domain/metrics/Tally.ts"
import { Timestamp } from "../../../domain/task/Task.ts"
import { Metrics } from "../../../services/Metrics.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"

const bucket = (column: string): string =>
  `CASE ${bucketSeconds.map((bound, at) => `WHEN ${column} <= ${bound * 1000} THEN ${at}`).join(" ")} WHEN ${column} IS NOT NULL THEN ${bucketSeconds.length} END`

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)

  const findTally = Statement.findAll(() => ({
    Request: Timestamp,
    Result: Tally,
    execute: (since) => sql`
      SELECT status, agent, "group", cause, failure_class, ${sql.literal(bucket("wait_ms"))} AS wait,
        ${sql.literal(bucket("run_ms"))} AS run, count(*) AS count, coalesce(sum(wait_ms), 0) AS wait_ms,
        coalesce(sum(run_ms), 0) AS run_ms
      FROM (
        SELECT status, agent, "group", cause, failure_class, NULL AS wait_ms, NULL AS run_ms
        FROM tasks WHERE status IN ('queued', 'running')
        UNION ALL
        SELECT status, agent, "group", cause, failure_class,
          CASE WHEN started_at < coalesce(not_before, 0) OR started_at < created_at THEN 0
            WHEN coalesce(not_before, 0) > created_at THEN started_at - not_before
            ELSE started_at - created_at END,
          CASE WHEN ended_at < started_at THEN 0 ELSE ended_at - started_at END
        FROM tasks WHERE ended_at >= ${since}
      ) AS counted
      GROUP BY status, agent, "group", cause, failure_class, 6, 7
    `
  }))

  return Metrics.of({
    tally: Effect.fn("Metrics.tally")((since) => findTally(since).pipe(access.read("tally")))
  })
})

export const layer = Layer.effect(Metrics, make)
