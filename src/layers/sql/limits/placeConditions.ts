/** The places of an account after a limit, in statements that walk the lanes: `placesNow` of domain/limits. */
import type * as SqlClient from "@effect/sql/SqlClient"
import { doublingMs, mostDoublings } from "../../../domain/limits/Places.ts"

/** About a row of `lanes`, with the row of `accounts` for its gate. */
export const placeConditions = (sql: SqlClient.SqlClient, now: number) => {
  /** Claims since a time. Where the clock was set back behind it, all of them are. One that is frozen does not get an answer. */
  const since = (at: string) => sql`
    claims.account = lanes.gate AND claims.frozen_uptime IS NULL
      AND (claims.claimed_at >= ${sql.literal(at)} OR ${now} < ${sql.literal(at)})
  `

  /** The claims that take its places. What was running when the limit was met takes none. */
  const taken = sql`FROM claims WHERE ${since("accounts.places_since")}`

  /** The claims that ask whether the limit of their family of models is over. */
  const asking = sql`
    FROM windows CROSS JOIN claims JOIN tasks held ON held.id = claims.task_id JOIN lanes own ON own.id = held.lane
    WHERE windows.account = lanes.gate AND windows.family = lanes.family AND windows.closed = 1
      AND own.family = lanes.family AND ${since("windows.observed_at")}
  `

  /** The account has a place for another task, and no task asks about the limit of this family. */
  const hasPlace = sql`
    (accounts.places IS NULL
      OR (accounts.places > 1 AND ${now} - accounts.places_at >= ${doublingMs * mostDoublings})
      OR (SELECT count(*) ${taken}) < CASE
        WHEN accounts.places = 1 OR ${now} < accounts.places_at THEN accounts.places
        ELSE accounts.places << ((${now} - accounts.places_at) / ${doublingMs}) END)
    AND NOT EXISTS (SELECT 1 ${asking})
  `

  return { asking, hasPlace, taken }
}
