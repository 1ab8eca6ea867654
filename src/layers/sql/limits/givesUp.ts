/** Queued tasks that have waited for limits as long as they may: `--give-up`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defaultGiveUpMs, Overdue } from "../../../domain/limits/Parking.ts"
import { reserved, spareName, yours } from "../../../domain/limits/Window.ts"
import type { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { gateConditions } from "../gates/gateConditions.ts"
import { goalCondition } from "../goals/GoalRows.ts"

/** Tasks at one look. */
const most = 100

export const makeGivesUp = (sql: SqlClient.SqlClient, { read, write }: ReturnType<typeof makeAccess>) => {
  const spare = spareName("")
  /** As in the index, which the planner takes only for the same literal. */
  const usual = sql.literal(String(defaultGiveUpMs))

  /**
   * Nothing but a limit of its service keeps it. What a person has paused, closed or kept, a full group or goal, and spare room do not
   * count.
   */
  const limited = (now: number) => sql`
    tasks.status = 'queued' AND tasks.waiting_on = 0 AND tasks.asks = 0 AND tasks.cancel_requested_at IS NULL
      AND (tasks.not_before IS NULL OR tasks.not_before <= ${now}) AND lanes.opens_at > ${now}
      AND lanes."window" NOT IN (${yours}, ${reserved}) AND substr(lanes."window", 1, ${spare.length}) <> ${spare}
      AND ${gateConditions(sql, now).lane} AND ${gateConditions(sql, now).task} AND ${goalCondition(sql, now)}
  `

  const findOverdue = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: Overdue,
    execute: (now) => sql`
      SELECT tasks.id, tasks.parks, tasks.give_up_ms, tasks.max_retries, lanes.opens_at,
        tasks.gives_up_at - tasks.give_up_ms AS since
      FROM tasks INDEXED BY tasks_gives_up JOIN lanes ON lanes.id = tasks.lane
      WHERE tasks.gives_up_at <= ${now} AND ${limited(now)} ORDER BY tasks.gives_up_at LIMIT ${most}
    `
  }))

  const unmarked = (now: number) => sql`
    SELECT tasks.seq FROM lanes CROSS JOIN tasks INDEXED BY tasks_bounded ON tasks.lane = lanes.id
    WHERE tasks.gives_up_at IS NULL AND tasks.give_up_ms <> ${usual} AND ${limited(now)}
  `

  const findUnmarked = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: Schema.Struct({ seq: Schema.Int }),
    execute: (now) => sql`${unmarked(now)} LIMIT 1`
  }))

  /** The time of a task that was told how long to wait runs from the first look on at which a limit keeps it. */
  const mark = (now: number) => sql`
    UPDATE tasks SET gives_up_at = ${now} + give_up_ms WHERE seq IN (${unmarked(now)} LIMIT 1000)
  `

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if ((yield* findUnmarked(now).pipe(read("givesUp"))).length > 0) yield* mark(now).pipe(write("givesUp"))
    return yield* findOverdue(now).pipe(read("givesUp"))
  })
}
