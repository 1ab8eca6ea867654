/** Shortens pauses that began while the clock on the wall was ahead. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { mostSpread } from "../../../domain/task/RetryPolicy.ts"
import { direct } from "../database/direct.ts"

/**
 * Must run inside a transaction. A pause that is longer than its task has it begins again. The reset of a limit, and a time
 * that a person has set, are times of the day: they stay. Returns how many tasks it has changed.
 */
export const makeRightPauses = (sql: SqlClient.SqlClient) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const waits = sql`
      tasks.status = 'queued' AND tasks.waiting_on = 0 AND tasks.revision = 0 AND tasks.not_before > ${now}
    `
    const retries = yield* direct(sql`
      UPDATE tasks SET not_before = ${now} + failed.backoff_ms FROM tasks failed
      WHERE ${waits} AND failed.id = tasks.retry_of AND tasks.continuation = 'retry'
        AND failed.failure_reset_at IS NULL AND tasks.not_before - ${now} > ${mostSpread} * failed.backoff_ms
      RETURNING tasks.id
    `)
    const steps = yield* direct(sql`
      UPDATE tasks SET not_before = ${now} + step.delay_ms FROM pipeline_steps step
      WHERE ${waits} AND step.task_id = tasks.id AND step.delay_ms > 0
        AND tasks.retry_of IS NULL AND tasks.not_before - ${now} > step.delay_ms
      RETURNING tasks.id
    `)
    yield* sql`
      UPDATE tasks SET gives_up_at = ${now} + give_up_ms
      WHERE status = 'queued' AND gives_up_at IS NOT NULL AND gives_up_at > ${now} + give_up_ms
    `
    return retries.length + steps.length
  })
