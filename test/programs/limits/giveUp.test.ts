/** A queued task ends when it has waited for limits as long as it may: nothing has to be refused once more. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Gate } from "../../../src/domain/gates/Gate.ts"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import type { NewTask } from "../../../src/domain/task/NewTask.ts"
import * as TerminalEvents from "../../../src/layers/TerminalEvents.ts"
import { giveUp } from "../../../src/programs/limits/giveUp.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { Limits } from "../../../src/services/Limits.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { claimNext, completed, parked, submit } from "../../support/tasks.ts"
import { layer as world } from "../world.ts"

const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
const hour = 3_600_000
const day = 24 * hour

const now = Effect.clockWith((clock) => clock.currentTimeMillis)
const of = (more: Partial<NewTask> = {}) => submit({ agent: "claude", account, ...more })

/** The account is closed for all models from now on. */
const close = (forMs: number) =>
  Effect.gen(function* () {
    const resetsAt = (yield* now) + forMs
    const signal = { _tag: "Seen", window: "seven_day", family: "", used: 1, closed: true, resetsAt } as const
    yield* (yield* Limits).observe(account.key, [signal])
  })

/** The next task meets a limit. */
const park = (forMs: number) =>
  Effect.gen(function* () {
    const { claim, task } = yield* claimNext()
    yield* (yield* Queue).park(claim, parked({ resetsAt: (yield* now) + forMs }))
    return task.id
  })

const statusOf = (id: NewTask["retryOf"] & string) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.summary(id), ({ status }) => status))

const layer = Layer.mergeAll(world(), TerminalEvents.layer)
const begin = TestClock.setTime(day)

describe("giving up", () => {
  it.effect("ends a parked task once it has waited so long, while its limit lasts", () =>
    Effect.gen(function* () {
      yield* begin
      yield* of({ giveUpMs: 5000 })
      const id = yield* park(72 * hour)
      const dependent = yield* submit({ dependsOn: [{ upstream: id, policy: "success" }] })
      yield* giveUp
      yield* TestClock.adjust(4999)
      yield* giveUp
      assert.strictEqual(yield* statusOf(id), "queued")
      yield* TestClock.adjust(1)
      yield* giveUp
      const task = yield* (yield* Tasks).get(id)
      assert.deepStrictEqual(
        [task.status, task.cause, task.failureClass, task.parks, task.attempt],
        ["failed", "agent-error", "usage-limit", 1, 1]
      )
      assert.strictEqual(task.error, "It was parked once in 5 s. It waits no longer than 5 s (beat run --give-up).")
      assert.strictEqual(yield* statusOf(dependent.id), "cancelled")
      yield* giveUp
      assert.strictEqual((yield* (yield* Tasks).events(0, 10)).length, 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("counts from the first park, and leaves a task alone whose limit has ended", () =>
    Effect.gen(function* () {
      yield* begin
      yield* of({ giveUpMs: 3 * hour })
      const id = yield* park(hour)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(yield* park(30 * 60_000), id)
      // More than three hours after the first park its limit has ended: it waits for its turn alone.
      yield* TestClock.adjust("90 minutes")
      yield* giveUp
      assert.strictEqual(yield* statusOf(id), "queued")
      yield* close(hour)
      yield* giveUp
      assert.strictEqual(yield* statusOf(id), "failed")
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends a task that never started where it was told how long to wait, from when a limit kept it first", () =>
    Effect.gen(function* () {
      yield* begin
      const early = yield* of({ giveUpMs: hour })
      const patient = yield* of()
      const first = yield* submit()
      const { claim } = yield* claimNext()
      yield* (yield* Queue).finish(early.id, completed, claim)
      const closedBefore = yield* of({ giveUpMs: hour })
      const later = yield* of({ giveUpMs: hour, notBefore: (yield* now) + 3 * hour })
      const blocked = yield* of({ giveUpMs: hour, dependsOn: [{ upstream: first.id, policy: "success" }] })
      yield* TestClock.adjust("2 hours")
      yield* close(20 * day)
      const closedSince = yield* of({ giveUpMs: 2 * hour })
      yield* giveUp
      yield* TestClock.adjust("1 hour")
      yield* giveUp
      const statuses = Effect.forEach([closedBefore, closedSince, later, blocked, patient], ({ id }) => statusOf(id))
      assert.deepStrictEqual(yield* statuses, ["failed", "queued", "queued", "queued", "queued"])
      assert.match(
        (yield* (yield* Tasks).get(closedBefore.id)).error ?? "",
        /^A usage limit kept it from starting for 1 h\. It waits no longer than 1 h \(beat run --give-up\)\.$/
      )
      yield* TestClock.adjust("1 hour")
      yield* giveUp
      assert.deepStrictEqual(yield* statuses, ["failed", "failed", "failed", "queued", "queued"])
      yield* TestClock.adjust("10 days")
      yield* giveUp
      assert.deepStrictEqual(yield* statuses, ["failed", "failed", "failed", "queued", "queued"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is for limits alone: not for what a person closed, spare room, a pause or a budget", () =>
    Effect.gen(function* () {
      yield* begin
      const limits = yield* Limits
      const task = yield* of({ giveUpMs: 1000 })
      const spare = yield* of({ giveUpMs: 1000, spare: true })
      yield* limits.close(account.key, (yield* now) + hour, null)
      yield* giveUp
      yield* TestClock.adjust("10 minutes")
      yield* giveUp
      assert.deepStrictEqual([yield* statusOf(task.id), yield* statusOf(spare.id)], ["queued", "queued"])
      yield* limits.open(account.key)
      const open = { _tag: "Seen", window: "five_hour", family: "", used: 0.1, closed: false } as const
      yield* limits.observe(account.key, [{ ...open, resetsAt: (yield* now) + 4 * hour }])
      yield* giveUp
      yield* TestClock.adjust("10 minutes")
      yield* giveUp
      assert.deepStrictEqual([yield* statusOf(task.id), yield* statusOf(spare.id)], ["queued", "queued"])
      assert.isTrue(Option.isSome(yield* (yield* Tasks).limitWait(spare.id)))
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves a task alone that a person has paused, until it waits for its limit alone", () =>
    Effect.gen(function* () {
      yield* begin
      const gates = yield* Gates
      const paused = (scope: Gate["scope"], name: string, until: number | null) =>
        gates.close({ scope, name, until, reason: null, by: "anna", freeze: false })
      const task = yield* of({ giveUpMs: 1000 })
      yield* close(day)
      yield* giveUp
      const over = (yield* now) + 10 * 60_000
      for (const [scope, name] of [
        ["task", task.id],
        ["agent", "claude"],
        ["all", ""]
      ] as const) {
        yield* paused(scope, name, over)
        yield* TestClock.adjust("3 minutes")
        yield* giveUp
        assert.strictEqual(yield* statusOf(task.id), "queued")
      }
      yield* TestClock.adjust("1 minute")
      yield* giveUp
      assert.strictEqual(yield* statusOf(task.id), "failed")
    }).pipe(Effect.provide(layer))
  )

  it.effect("retries a task with retries: the next attempt has its own time", () =>
    Effect.gen(function* () {
      yield* begin
      yield* of({ giveUpMs: hour, maxRetries: 1 })
      const id = yield* park(72 * hour)
      yield* TestClock.adjust("1 hour")
      yield* giveUp
      const { retriedBy, status } = yield* (yield* Tasks).summary(id)
      assert.strictEqual(status, "failed")
      const retry = yield* (yield* Tasks).get(retriedBy ?? id)
      assert.deepStrictEqual([retry.retryOf, retry.attempt, retry.status, retry.parks], [id, 2, "queued", 0])
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends the others where one cannot be ended", () =>
    Effect.gen(function* () {
      yield* begin
      const sql = yield* SqlClient.SqlClient
      const all = yield* Effect.replicateEffect(of({ giveUpMs: 1000, maxRetries: 1 }), 3)
      yield* close(hour)
      yield* giveUp
      yield* TestClock.adjust("1 minute")
      const [first, ...others] = all
      assert(first !== undefined)
      // Its row cannot be read, so that no retry of it is prepared.
      yield* sql`UPDATE tasks SET labels = 'no labels' WHERE id = ${first.id}`
      yield* giveUp
      assert.deepStrictEqual(yield* Effect.forEach(others, ({ id }) => statusOf(id)), ["failed", "failed"])
      const [row] = yield* sql<{ status: string }>`SELECT status FROM tasks WHERE id = ${first.id}`
      assert.strictEqual(row?.status, "failed")
    }).pipe(Effect.provide(layer))
  )
})
