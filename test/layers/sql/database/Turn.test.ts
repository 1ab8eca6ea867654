/** Reads and transactions on one connection: a read never sees what a transaction of another fiber has not committed. */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { direct } from "../../../../src/layers/sql/database/direct.ts"
import { withImmediate } from "../../../../src/layers/sql/database/Immediate.ts"
import { Turn, turnsOf } from "../../../../src/layers/sql/database/Turn.ts"
import { memory } from "../support.ts"

/** Whether the environment `e` is stored, read as services read. */
const isStored = (sql: SqlClient.SqlClient) =>
  direct(sql`SELECT id FROM environments WHERE id = 'e'`).pipe(
    Effect.map((rows) => rows.length === 1),
    Effect.provideService(Turn, turnsOf(sql))
  )

/** A transaction that has stored `e` when this returns, and goes on until `end` is done. */
const storing = (sql: SqlClient.SqlClient, end: Deferred.Deferred<void, "taken back">) =>
  Effect.gen(function* () {
    const stored = yield* Deferred.make<void>()
    const work = Effect.zipRight(
      sql`INSERT INTO environments ${sql.insert({ id: "e", variables: "{}" })}`,
      Effect.zipRight(Deferred.succeed(stored, undefined), Deferred.await(end))
    )
    const fiber = yield* Effect.fork(withImmediate(sql)(work))
    yield* Deferred.await(stored)
    return fiber
  })

describe("a read next to transactions of other fibers", () => {
  for (const first of [true, false]) {
    it.effect(`waits for one that has the connection, ${first ? "as the first statement" : "after other reads"}`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        if (!first) assert.isFalse(yield* isStored(sql))
        const end = yield* Deferred.make<void, "taken back">()
        yield* storing(sql, end)
        const reader = yield* Effect.fork(isStored(sql))
        yield* Effect.yieldNow()
        yield* Deferred.fail(end, "taken back")
        assert.isFalse(yield* Fiber.join(reader))
      }).pipe(Effect.provide(memory))
    )
  }

  it.effect("reads once more when one has begun meanwhile", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const connection = yield* Effect.scoped(sql.reserve)
      const [reading, proceed] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow: Connection = {
        ...connection,
        execute: (...statement) =>
          Effect.zipRight(
            Effect.zipRight(Deferred.succeed(reading, undefined), Deferred.await(proceed)),
            connection.execute(...statement)
          )
      }
      turnsOf(sql).connection = slow
      const reader = yield* Effect.fork(isStored(sql))
      yield* Deferred.await(reading)
      const end = yield* Deferred.make<void, "taken back">()
      yield* storing(sql, end)
      yield* Deferred.succeed(proceed, undefined)
      yield* Effect.yieldNow()
      yield* Deferred.fail(end, "taken back")
      assert.isFalse(yield* Fiber.join(reader))
    }).pipe(Effect.provide(memory))
  )

  it.effect("reads what they have committed, and what its own has not", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const end = yield* Deferred.make<void, "taken back">()
      const writer = yield* storing(sql, end)
      yield* Deferred.succeed(end, undefined)
      yield* Fiber.join(writer)
      assert.isTrue(yield* isStored(sql))
      const inside = yield* withImmediate(sql)(
        Effect.zipRight(sql`DELETE FROM environments WHERE id = 'e'`, isStored(sql))
      )
      assert.isFalse(inside)
    }).pipe(Effect.provide(memory))
  )
})
