/** The notices: each written with its cause, numbered without a gap, and bounded. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  isSelected,
  keptNotices,
  type Notice,
  NoticeKind,
  type Reset,
  resetOf
} from "../../../../src/domain/events/Notice.ts"
import { AccountKey } from "../../../../src/domain/limits/Account.ts"
import { TaskId } from "../../../../src/domain/task/Task.ts"
import { readNotices } from "../../../../src/programs/events/readNotices.ts"
import { Notices } from "../../../../src/services/Notices.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { create } from "../../../support/pipelines.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, completed, failed, newTask, parked, submit, submitAndClaim } from "../../../support/tasks.ts"

const all = Effect.flatMap(Notices, (notices) => notices.after(0, 1000))

const read = (after: number | null, last = 0) =>
  Stream.runCollect(readNotices({ after, last, follow: false })).pipe(Effect.map((items) => Array.from(items)))

const kinds = (items: ReadonlyArray<Notice | Reset>) => items.map(({ kind }) => kind)

describe("notices", () => {
  it.effect("follow a task from its arrival to its end", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* TestClock.setTime(5000)
      const { claim, task } = yield* submitAndClaim({ labels: { repo: "api" } })
      yield* TestClock.adjust("7 seconds")
      yield* queue.finish(task.id, failed, claim)
      const found = yield* all
      assert.deepStrictEqual(
        found.map(({ at, kind, seq, taskId }) => [seq, kind, taskId, at]),
        [
          [1, "queued", task.id, 5000],
          [2, "started", task.id, 5000],
          [3, "ended", task.id, 12_000]
        ]
      )
      const [, , end] = found
      assert.deepStrictEqual(
        [end?.data.status, end?.data.cause, end?.data.exitCode, end?.agent, end?.title, end?.labels],
        ["failed", "exit", 1, "shell", "fix the failing test", { repo: "api" }]
      )
    }).pipe(Effect.provide(testSql))
  )

  it.effect("say that a failed attempt was retried, and end only with the last", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const first = yield* submitAndClaim({ maxRetries: 1 })
      const event = yield* queue.finish(first.task.id, failed, first.claim, newTask({ retryOf: first.task.id }))
      const second = yield* claimNext()
      yield* queue.finish(second.task.id, failed, second.claim)
      const found = yield* all
      assert.deepStrictEqual(kinds(found), ["queued", "started", "queued", "retried", "started", "ended"])
      assert.strictEqual(found[3]?.data.retriedBy, event.retriedBy)
      assert.isFalse(isSelected(found[3] ?? assert.fail(), ["failed"]))
      assert.isTrue(isSelected(found[5] ?? assert.fail(), ["failed"]))
    }).pipe(Effect.provide(testSql))
  )

  it.effect("name every task that can no longer start, and the end of its pipeline", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* create([{}, {}, {}])
      const { claim, task } = yield* claimNext()
      yield* queue.finish(task.id, failed, claim)
      const found = yield* all
      const ends = found.filter(({ kind }) => kind === "ended")
      assert.strictEqual(ends.length, found.filter(({ kind }) => kind === "queued").length)
      assert.strictEqual(found.at(-1)?.kind, "pipeline-ended")
      assert.isTrue(found.every(({ pipelineId }) => pipelineId === found.at(-1)?.pipelineId))
    }).pipe(Effect.provide(testSql))
  )

  it.effect("report a limit, the tasks that it parks, and its end", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* TestClock.setTime(86_400_000)
      const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
      const first = yield* submitAndClaim({ agent: "claude", account })
      yield* queue.park(first.claim, parked({ resetsAt: 86_400_000 + 3_600_000 }))
      yield* TestClock.adjust("2 hours")
      const again = yield* claimNext()
      yield* queue.finish(again.task.id, completed, again.claim)
      const found = yield* all
      assert.sameMembers(kinds(found), ["queued", "started", "limit", "parked", "started", "limit-over", "ended"])
      const limit = found.find(({ kind }) => kind === "limit")
      assert.deepStrictEqual([limit?.subject, limit?.data.agent], [account.key, "claude"])
      assert.isAbove(Number(limit?.data.resetsAt), 86_400_000)
    }).pipe(Effect.provide(testSql))
  )

  it.effect("are not there where the transaction of their cause was rolled back", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* submit()
      const broken = newTask({ dependsOn: [{ upstream: TaskId.make("000000000000"), policy: "success" }] })
      yield* Effect.flip(queue.enqueue([newTask(), broken], { maxDepth: 3 }))
      yield* submit()
      assert.deepStrictEqual(
        (yield* all).map(({ seq }) => seq),
        [1, 2]
      )
    }).pipe(Effect.provide(testSql))
  )

  it.effect("keep the newest, and a reader that missed some gets a reset before what follows", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const notices = yield* Notices
      const total = keptNotices + 1200
      yield* sql`
        WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ${total})
        INSERT INTO notices (kind, at) SELECT 'limit-over', n FROM many
      `
      const bounds = yield* notices.bounds
      assert.strictEqual(bounds.newest, total)
      assert.isAtMost(bounds.newest - bounds.oldest, keptNotices + 500)
      const items = yield* read(3)
      assert.deepStrictEqual(items[0], { kind: "reset", reason: "gone", ...bounds })
      assert.strictEqual(items.length, 1 + bounds.newest - bounds.oldest + 1)
      const numbers = items.flatMap((item) => (item.kind === "reset" ? [] : [item.seq]))
      assert.isTrue(numbers.every((seq, at) => seq === bounds.oldest + at))

      assert.deepStrictEqual((yield* read(total + 1)).slice(0, 1), [{ kind: "reset", reason: "ahead", ...bounds }])
      assert.deepStrictEqual(yield* read(total), [])
      assert.deepStrictEqual(kinds(yield* read(null, 3)), ["limit-over", "limit-over", "limit-over"])
    }).pipe(Effect.provide(testSql))
  )

  it.effect("have the same kinds in the table as in the schema", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const kind of NoticeKind.literals) yield* sql`INSERT INTO notices (kind, at) VALUES (${kind}, 1)`
      assert.deepStrictEqual(kinds(yield* all), [...NoticeKind.literals])
      yield* Effect.flip(sql`INSERT INTO notices (kind, at) VALUES ('unheard', 1)`)
      yield* sql`UPDATE notices SET data = '{broken' WHERE seq = 1`
      assert.deepStrictEqual((yield* all)[0]?.data, {})
    }).pipe(Effect.provide(testSql))
  )

  it("have no reset for a reader that has seen the last of what is gone", () => {
    assert.isNull(resetOf(4, { oldest: 5, newest: 9 }))
    assert.isNull(resetOf(0, { oldest: 1, newest: 0 }))
    assert.strictEqual(resetOf(3, { oldest: 5, newest: 9 })?.reason, "gone")
    assert.strictEqual(resetOf(1, { oldest: 1, newest: 0 })?.reason, "ahead")
    assert.isTrue(Schema.is(NoticeKind)("ended"))
  })
})
