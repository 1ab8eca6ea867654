/** What happens to a statement when the database is locked or full, and to a transaction whose commit fails. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Database from "../../../../src/layers/sql/database/Database.ts"
import { withImmediate } from "../../../../src/layers/sql/database/Immediate.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { newTask } from "../../../support/tasks.ts"
import { memory, pathsIn, pathsLayer, services, temporaryHome } from "../support.ts"

/** Takes the write lock from another connection; the result gives it back. */
const lock = (home: string) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Database.layerWriter.pipe(Layer.provide(pathsLayer(home))))
    const connection = yield* Context.get(context, SqlClient.SqlClient).reserve
    yield* connection.execute("BEGIN IMMEDIATE", [], undefined)
    return connection.execute("ROLLBACK", [], undefined)
  })

const submit = Effect.flatMap(Queue, (queue) => queue.enqueue([newTask()], { maxDepth: 3 }))

/** Returns when the fiber waits for time to pass: its first attempt has failed. */
const pausing = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 10_000; tries += 1) {
      const status = yield* Fiber.status(fiber)
      if (status._tag === "Suspended") return
      yield* Effect.yieldNow()
    }
    return yield* Effect.dieMessage("the fiber never paused")
  })

describe("a locked database", () => {
  it.scopedLive("is waited for, without holding up other fibers", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const context = yield* Layer.build(services(home))
      const release = yield* lock(home)
      const fiber = yield* Effect.fork(Effect.provide(submit, context))
      yield* pausing(fiber)
      yield* release
      const enqueued = yield* Effect.timeout(Fiber.join(fiber), "10 seconds")
      assert.strictEqual(enqueued.length, 1)
    })
  )

  it.scoped("is an error after some 20 s, and no earlier; afterwards work continues", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const context = yield* Layer.build(services(home))
      const release = yield* lock(home)
      const fiber = yield* Effect.fork(Effect.flip(Effect.provide(submit, context)))
      yield* pausing(fiber)
      yield* TestClock.adjust("15 seconds")
      assert.isTrue((yield* Fiber.poll(fiber))._tag === "None")
      yield* TestClock.adjust("15 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, {
        _tag: "StorageError",
        operation: "enqueue",
        reason: "busy",
        path: pathsIn(home).database
      })
      yield* release
      assert.strictEqual((yield* Effect.provide(submit, context)).length, 1)
    })
  )
})

describe("a full disk", () => {
  it.effect("is named, leaves nothing half done, and work continues when there is room again", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const [pages] = yield* sql<{ readonly pageCount: number }>`PRAGMA page_count`
      yield* sql.unsafe(`PRAGMA max_page_count = ${(pages?.pageCount ?? 0) + 5}`)
      const large = newTask({ prompt: "x".repeat(500_000) })
      const error = yield* Effect.flip(queue.enqueue([newTask(), large], { maxDepth: 3 }))
      assert.deepInclude(error, { _tag: "StorageError", operation: "enqueue", reason: "full" })
      assert.deepStrictEqual(yield* sql`SELECT id FROM tasks`, [])
      yield* sql`PRAGMA max_page_count = 1000000`
      assert.strictEqual((yield* queue.enqueue([newTask(), large], { maxDepth: 3 })).length, 2)
    }).pipe(Effect.provide(memory))
  )
})

describe("withImmediate", () => {
  it.effect("fails, and takes everything back, when the commit fails", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const dangling = Effect.gen(function* () {
        yield* sql`PRAGMA defer_foreign_keys = ON`
        yield* sql`INSERT INTO claim_history ${sql.insert({ claimId: "c", taskId: "nobody", n: 1, claimedAt: 1 })}`
      })
      const error = yield* Effect.flip(withImmediate(sql)(dangling))
      assert.strictEqual(error._tag, "SqlError")
      assert.deepStrictEqual(yield* sql`SELECT claim_id FROM claim_history`, [])
      yield* withImmediate(sql)(sql`INSERT INTO environments ${sql.insert({ id: "e", variables: "{}" })}`)
      assert.strictEqual((yield* sql`SELECT id FROM environments`).length, 1)
    }).pipe(Effect.provide(memory))
  )

  it.effect("takes back what a nested one did when that one fails, and keeps the rest", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const transaction = withImmediate(sql)
      const insert = (id: string) => sql`INSERT INTO environments ${sql.insert({ id, variables: "{}" })}`
      yield* transaction(
        Effect.gen(function* () {
          yield* insert("outer")
          yield* Effect.ignore(transaction(Effect.zipRight(insert("inner"), Effect.fail("no"))))
        })
      )
      assert.deepStrictEqual(yield* sql`SELECT id FROM environments`, [{ id: "outer" }])
    }).pipe(Effect.provide(memory))
  )
})
