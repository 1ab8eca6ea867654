/** What waits look at, for any number of tasks in one statement. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { spareOpening } from "../../../domain/limits/Spare.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { TaskHalt } from "../../../domain/task/TaskHalt.ts"
import type { Access } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeWindows } from "../limits/windows.ts"
import { storedFlag } from "./Rows.ts"

export const makeHalts = (sql: SqlClient.SqlClient, read: Access["read"]) => {
  const windows = makeWindows(sql)

  const findHalts = Statement.findAll(() => ({
    Request: Schema.Struct({ ids: Schema.parseJson(Schema.Array(TaskId)), now: Timestamp }),
    Result: Schema.Struct({
      ...TaskHalt.fields,
      gate: Schema.NullOr(Schema.String),
      family: Schema.NullOr(Schema.String),
      spare: Schema.NullOr(storedFlag)
    }),
    execute: ({ ids, now }) => sql`
      SELECT tasks.id, tasks.status, tasks.asks, tasks.retried_by, lanes.opens_at, lanes.gate, lanes.family, lanes.spare
      FROM json_each(${ids}) AS given CROSS JOIN tasks ON tasks.id = given.value
      LEFT JOIN lanes ON lanes.id = tasks.lane AND tasks.status = 'queued' AND (lanes.spare = 1 OR lanes.opens_at > ${now})
      WHERE tasks.status NOT IN ('queued', 'running') OR tasks.asks > 0 OR lanes.id IS NOT NULL
    `
  }))

  const haltsOf = Effect.fn("Tasks.haltsOf")(function* (ids: ReadonlyArray<TaskId>) {
    const now = yield* Clock.currentTimeMillis
    const rows = yield* findHalts({ ids, now })
    /** One for each lane of spare tasks: the room that was stored may be gone by now. */
    const openings = new Map<string, number>()
    const halts: Array<TaskHalt> = []
    for (const { family, gate, id, spare, ...row } of rows) {
      let { opensAt } = row
      if (spare === true && gate !== null && family !== null) {
        const lane = JSON.stringify([gate, family])
        opensAt = openings.get(lane) ?? spareOpening(yield* windows.find(gate), family, now).opensAt
        openings.set(lane, opensAt)
      }
      const kept = opensAt !== null && opensAt > now ? opensAt : null
      if (row.status !== "queued" || row.asks > 0 || kept !== null) halts.push({ ...row, id, opensAt: kept })
    }
    return halts
  })

  return {
    haltsOf: (ids: ReadonlyArray<TaskId>) => haltsOf(ids).pipe(read("haltsOf"))
  }
}
