/** What is damaged of limits holds no task up. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../../src/domain/limits/Account.ts"
import { Limits } from "../../../../src/services/Limits.ts"
import { OutputStore } from "../../../../src/services/OutputStore.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { claimNext, completed, submit } from "../../../support/tasks.ts"
import { memory } from "../support.ts"

const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }

describe("a row of limits that cannot be read", () => {
  it.effect("tells nothing: the task of its account runs to its end", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const queue = yield* Queue
      const output = yield* OutputStore
      yield* submit({ agent: "claude", account })
      yield* (yield* Limits).close(account.key, 1, null)
      yield* sql`UPDATE windows SET resets_at = -5, observed_at = -1`
      yield* TestClock.setTime(1000)
      const { claim, task } = yield* claimNext()
      yield* sql`UPDATE claims SET account = 'no account at all'`
      yield* output.append(
        { taskId: task.id, stream: "stdout", offset: 0, bytes: new Uint8Array([10]), signals: [{ _tag: "Served" }] },
        { cap: 1000 }
      )
      const ended = yield* queue.finish(task.id, completed, claim)
      assert.strictEqual(ended.status, "completed")
    }).pipe(Effect.provide(memory))
  )

  it.effect("leaves the task itself readable", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const task = yield* submit({ agent: "claude", account })
      yield* sql`UPDATE tasks SET account = 'no account at all', fallback = 'no list' WHERE id = ${task.id}`
      const read = yield* (yield* Tasks).get(task.id)
      assert.deepStrictEqual([read.account, read.fallback], [null, []])
      assert.isTrue(Option.isNone(yield* (yield* Tasks).limitWait(task.id)))
    }).pipe(Effect.provide(memory))
  )
})
