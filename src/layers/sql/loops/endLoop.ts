/** The end of a loop: the one place that writes it. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { LoopStatus } from "../../../domain/loop/Loop.ts"
import type { LoopId } from "../../../domain/loop/LoopId.ts"
import { direct } from "../database/direct.ts"
import { makeReleaseDependents } from "../queue/releaseDependents.ts"

/** It must run inside a transaction. Nothing changes where the loop has ended already. */
export const makeEndLoop = (sql: SqlClient.SqlClient) => {
  const { releaseAwaiting } = makeReleaseDependents(sql)
  return (id: LoopId, status: LoopStatus, at: number) =>
    Effect.zipRight(
      direct(sql`UPDATE loops SET status = ${status}, ended_at = ${at} WHERE id = ${id} AND ended_at IS NULL`),
      releaseAwaiting(id)
    )
}
