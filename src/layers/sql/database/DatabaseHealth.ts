/** SQLite's own checks, and ours. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { DatabaseHealth } from "../../../services/DatabaseHealth.ts"
import { Paths } from "../../../services/Paths.ts"
import { asStorageError } from "./Immediate.ts"
import * as Statement from "./Statement.ts"

const Line = Schema.Struct({ quickCheck: Schema.String })
const Count = Schema.Struct({ count: Schema.Int })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths

  const damage = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Line,
    execute: () => sql`PRAGMA quick_check(10)`
  }))
  const dangling = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Count,
    execute: () => sql`SELECT count(*) AS count FROM pragma_foreign_key_check`
  }))
  const stranded = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Count,
    execute: () => sql`
      SELECT count(*) AS count FROM tasks
      WHERE status = 'running' AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.task_id = tasks.id)
    `
  }))
  const schema = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Count,
    execute: () => sql`SELECT user_version AS count FROM pragma_user_version`
  }))
  const only = (rows: ReadonlyArray<{ readonly count: number }>) => rows[0]?.count ?? 0

  return DatabaseHealth.of({
    check: Effect.gen(function* () {
      const lines = yield* damage()
      return {
        schema: only(yield* schema()),
        damage: lines.map(({ quickCheck }) => quickCheck).filter((line) => line !== "ok"),
        danglingRows: only(yield* dangling()),
        strandedTasks: only(yield* stranded())
      }
    }).pipe(asStorageError("check", database), Effect.withSpan("DatabaseHealth.check"))
  })
})

export const layer = Layer.effect(DatabaseHealth, make)
