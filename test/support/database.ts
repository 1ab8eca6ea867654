/** A database in memory with all tables, restored from an image that is made once per file of tests: making them takes longer than most tests. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fromColumn, toColumn } from "../../src/layers/sql/database/direct.ts"
import { migrate } from "../../src/layers/sql/database/migrate.ts"

const connect = (filename: string) =>
  SqliteClient.make({
    filename,
    disableWAL: true,
    transformQueryNames: toColumn,
    transformResultNames: fromColumn
  }).pipe(Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make))

const image = Effect.runSync(
  Effect.cached(
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* connect(":memory:")
        yield* migrate(sql, null)
        return yield* sql.export
      })
    )
  )
)

/** Each build of the layer is a separate database. */
export const layer = Layer.scoped(
  SqlClient.SqlClient,
  Effect.gen(function* () {
    // The driver takes the bytes of a database in place of its name; the type of the client does not say so.
    const sql = yield* connect((yield* image) as unknown as string)
    yield* sql`PRAGMA foreign_keys = ON`
    return sql
  })
)
