/** SQLite's own checks, and ours. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { DatabaseHealth } from "../../../services/DatabaseHealth.ts"
import { Paths } from "../../../services/Paths.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { direct } from "./direct.ts"
import { asStorageError, makeAccess } from "./Immediate.ts"
import * as Statement from "./Statement.ts"

/** 2 MB of pages: some ten milliseconds of the write lock. */
const pagesPerStep = 500

const Line = Schema.Struct({ quickCheck: Schema.String })
const Count = Schema.Struct({ count: Schema.Int })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)

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
  const free = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ pages: Schema.Int, size: Schema.Int }),
    execute: () => sql`
      SELECT freelist_count AS pages, page_size AS size FROM pragma_freelist_count, pragma_page_size
    `
  }))
  const freePages = orDieWhenMissing(free())

  const reclaim = Effect.gen(function* () {
    const before = yield* freePages
    // The driver takes one step of a statement without columns, and each step frees one page.
    const pages = Math.min(before.pages, pagesPerStep)
    for (let page = 0; page < pages; page += 1) yield* direct(sql`PRAGMA incremental_vacuum(1)`)
    const after = yield* freePages
    return Math.max(0, before.pages - after.pages) * before.size
  }).pipe(access.write("reclaim"))

  /** The file shrinks when the log is written back to it. Most of that needs no lock; a busy file shrinks later. */
  const shrink = Effect.ignore(
    Effect.zipRight(sql`PRAGMA wal_checkpoint(PASSIVE)`, sql`PRAGMA wal_checkpoint(TRUNCATE)`)
  )

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
    }).pipe(asStorageError("check", database), Effect.withSpan("DatabaseHealth.check")),

    reclaim: Effect.tap(reclaim, (bytes) => (bytes === 0 ? shrink : Effect.void)).pipe(
      Effect.withSpan("DatabaseHealth.reclaim")
    )
  })
})

export const layer = Layer.effect(DatabaseHealth, make)
