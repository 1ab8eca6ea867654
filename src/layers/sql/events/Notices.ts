/** The notices on SQLite, with what is known of their tasks now. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Notice } from "../../../domain/events/Notice.ts"
import { Labels } from "../../../domain/task/Task.ts"
import { Notices } from "../../../services/Notices.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"

/** Data that cannot be read is left out of the notice, so that no reader stops at it. */
const NoticeRow = Schema.Struct({
  ...Notice.fields,
  data: Schema.parseJson(Notice.fields.data).annotations({ decodingFallback: () => Effect.succeed({}) }),
  labels: Schema.NullOr(Schema.parseJson(Labels)).annotations({ decodingFallback: () => Effect.succeed(null) })
})

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read } = makeAccess(sql, database)

  const findAfter = Statement.findAll(() => ({
    Request: Schema.Struct({ after: Schema.Int, limit: Schema.Int }),
    Result: NoticeRow,
    execute: ({ after, limit }) => sql`
      SELECT notices.seq, notices.kind, notices.at, notices.task_id, notices.pipeline_id, notices.subject, notices.data,
        tasks.agent, tasks.title, tasks.labels
      FROM notices LEFT JOIN tasks ON tasks.id = notices.task_id
      WHERE notices.seq > ${after} ORDER BY notices.seq LIMIT ${limit}
    `
  }))

  const findBounds = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ oldest: Schema.Int, newest: Schema.Int }),
    execute: () => sql`
      SELECT coalesce((SELECT min(seq) FROM notices), 1) AS oldest, coalesce((SELECT max(seq) FROM notices), 0) AS newest
    `
  }))

  return Notices.of({
    after: Effect.fn("Notices.after")((after, limit) => findAfter({ after, limit }).pipe(read("notices"))),
    bounds: findBounds().pipe(orDieWhenMissing, read("notices"), Effect.withSpan("Notices.bounds"))
  })
})

export const layer = Layer.effect(Notices, make)
