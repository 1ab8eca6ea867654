/** What a wake does to its task: the edges that it waits by, and their removal when it starts again. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import type { WakeMode } from "../../../domain/wake/Wake.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { makeDependencies } from "../queue/Dependencies.ts"
import { makeGroupEdges } from "./groupEdges.ts"
import { makeWakeRows } from "./WakeRows.ts"

/** `task_dependencies.wake` of the edges that a wake draws; 0 for all others. */
const marks = { all: 1, any: 2 } as const satisfies Record<WakeMode, number>

/** All of it must run inside a transaction. */
export const makeCarryOutWake = (sql: SqlClient.SqlClient) => {
  const { connect } = makeDependencies(sql)
  const { askedIn } = makeWakeRows(sql)
  const groups = makeGroupEdges(sql)

  /** None: it is a group, or was pruned. */
  const findTask = Statement.findOne(() => ({
    Request: Schema.String,
    Result: Schema.Struct({ id: TaskId }),
    execute: (id) => sql`SELECT id FROM tasks WHERE id = ${id}`
  }))

  const release = (id: TaskId) =>
    Effect.zipRight(
      sql`DELETE FROM task_dependencies WHERE task_id = ${id} AND state = 'pending'`,
      sql`UPDATE tasks SET waiting_on = 0 WHERE id = ${id}`
    )

  return {
    /** The task has gone back to the queue: it waits for what the run of this claim has named. */
    wait: (id: TaskId, claimId: ClaimId, sessionId: string | null, now: number) =>
      Effect.gen(function* () {
        const asked = yield* askedIn(claimId)
        if (Option.isNone(asked)) return
        const { awaited, mode, n } = asked.value
        yield* sql`
          UPDATE wakes SET parked_at = ${now}, session_id = ${sessionId} WHERE task_id = ${id} AND n = ${n}
        `
        yield* sql`UPDATE tasks SET wakes = ${n} WHERE id = ${id}`
        const tasks = Arr.getSomes(yield* Effect.forEach(awaited, findTask)).map((task) => task.id)
        const known = new Set<string>(tasks)
        for (const one of awaited) if (!known.has(one)) yield* groups.connect(id, one)
        // It ran until now, so none of its other edges is pending.
        yield* connect(
          id,
          tasks.map((upstreamId) => ({ upstreamId, policy: "finished" as const })),
          false
        ).pipe(
          // Another task was made to wait for it in the meantime: it starts immediately rather than never.
          Effect.catchTag("DependencyInvalid", () => release(id)),
          Effect.catchTag("TaskNotFound", Effect.die)
        )
        yield* sql`
          UPDATE task_dependencies SET wake = ${marks[mode]}
          WHERE task_id = ${id} AND (state = 'pending' OR upstream_id IN (
            SELECT awaited_id FROM wake_tasks WHERE task_id = ${id} AND n = ${n}
          ))
        `
        const over = yield* direct(sql`
          SELECT 1 FROM task_dependencies WHERE task_id = ${id} AND wake = ${marks.any} AND state = 'met' LIMIT 1
        `)
        if (over.length > 0) yield* release(id)
      }),

    /** The task was claimed again. Until its agent has answered once, the next claim has the same wake. */
    wake: (id: TaskId, n: number, claimId: ClaimId, now: number) =>
      Effect.zipRight(
        direct(sql`
          UPDATE wakes SET woken_at = coalesce(woken_at, ${now}), woken_by = ${claimId}
          WHERE task_id = ${id} AND n = ${n} AND parked_at IS NOT NULL AND told_at IS NULL
        `),
        direct(sql`DELETE FROM task_dependencies WHERE task_id = ${id} AND wake > 0`)
      ),

    /** An answer in the run of this claim proves that its agent got the text of the wake. */
    told: (claimId: ClaimId, now: number) =>
      direct(sql`UPDATE wakes SET told_at = ${now} WHERE woken_by = ${claimId} AND told_at IS NULL`)
  }
}
