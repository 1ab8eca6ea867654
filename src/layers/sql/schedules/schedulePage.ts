/** Pages of schedules, the newest first. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ScheduleStatus } from "../../../domain/schedule/Schedule.ts"
import * as Statement from "../database/Statement.ts"
import { ScheduleIdRow, ScheduleRow, scheduleById, scheduleColumns } from "./ScheduleRows.ts"

const PageRequest = Schema.Struct({
  status: Schema.Array(ScheduleStatus),
  before: Schema.Number,
  limit: Schema.Number
})

export const makeSchedulePage = (sql: SqlClient.SqlClient) => {
  const columns = sql.literal(scheduleColumns)
  const byId = scheduleById(sql)
  const page = ({ before, limit, status }: typeof PageRequest.Type) => sql`
    SELECT ${columns} FROM schedules
    WHERE seq < ${before} AND ${status.length === 0 ? sql`1` : sql.in("status", status)}
    ORDER BY seq DESC LIMIT ${limit}
  `
  const findPage = Statement.findAll(() => ({ Request: PageRequest, Result: ScheduleRow, execute: page }))
  const findPageIds = Statement.findAll(() => ({ Request: PageRequest, Result: ScheduleIdRow, execute: page }))

  /** Where one of them is broken, those that are not. */
  const findReadable = Effect.fnUntraced(function* (request: typeof PageRequest.Type) {
    const ids = yield* findPageIds(request)
    const found = yield* Effect.forEach(ids, ({ id }) =>
      byId(id).pipe(
        Effect.catchTag("ParseError", () =>
          Effect.as(
            Effect.logWarning(
              `Schedule ${id} is left out: its times cannot be read. To remove it: beat schedule cancel ${id}`
            ),
            Option.none()
          )
        )
      )
    )
    return found.flatMap(Option.toArray)
  })

  return (request: typeof PageRequest.Type) =>
    Effect.catchTag(findPage(request), "ParseError", () => findReadable(request))
}
