/** Deliveries: decided once, tried by one worker at a time, with the same message over all attempts. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { patienceMs } from "../../../../src/domain/hooks/Delivery.ts"
import { type HookSettings, hookOf } from "../../../../src/domain/hooks/Hook.ts"
import { WorkerId } from "../../../../src/domain/worker/Worker.ts"
import { Deliveries } from "../../../../src/services/Deliveries.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { loopRules } from "../../../support/loopRules.ts"
import { createLoop, endRound } from "../../../support/loops.ts"
import { create } from "../../../support/pipelines.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, completed, failed, submitAndClaim } from "../../../support/tasks.ts"
import { withWall } from "../../../support/wall.ts"

const anna = WorkerId.make("anna000000000000")
const ben = WorkerId.make("ben0000000000000")

const hook = (name: string, settings: Partial<HookSettings> = {}) =>
  hookOf(name, { desktop: true, on: ["ended"], ...settings })

const ci = hook("ci")

/** A task that ends; what the hooks make of it. */
const end = Effect.fn(function* (outcome = completed, labels: Readonly<Record<string, string>> = {}) {
  const { claim, task } = yield* submitAndClaim({ labels })
  yield* (yield* Queue).finish(task.id, outcome, claim)
  return task.id
})

const log = Effect.flatMap(Deliveries, (deliveries) => deliveries.list({ hook: null, states: [], limit: 1000 }))

const claimed = (hooks = [ci], sender = anna) =>
  Effect.flatMap(Deliveries, (deliveries) => Effect.map(deliveries.claim(hooks, sender), Option.getOrNull))

const test = (name: string, effect: Effect.Effect<unknown, unknown, Layer.Layer.Success<typeof testSql>>) =>
  it.effect(name, () => Effect.provide(effect, testSql))

describe("deliveries", () => {
  test(
    "of what needs a person leave out the evaluations of a loop, and not the end of the loop",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const phone = hook("phone", { on: ["needs-you"] })
      yield* deliveries.decide([phone])
      const { id } = yield* createLoop(loopRules({ maxRounds: 2 }))
      for (const said of ["one is wrong", "two are wrong"]) yield* endRound({ evaluations: [[failed, said]] })
      yield* end(failed)
      yield* deliveries.decide([phone])
      assert.deepStrictEqual(
        (yield* log).map(({ kind }) => kind).sort(),
        ["ended", "loop-ended"],
        `the loop ${id} and the task`
      )
    })
  )

  test(
    "begin with what comes after the first look, and each notice is decided once",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      yield* end()
      assert.isFalse(yield* deliveries.decide([ci]))
      assert.deepStrictEqual(yield* log, [])
      const id = yield* end(failed)
      yield* deliveries.decide([ci, hook("late")])
      yield* deliveries.decide([ci, hook("late")])
      const found = yield* log
      assert.deepStrictEqual(
        found.map(({ hook, kind, seq, state, taskId }) => [hook, seq, kind, taskId, state]),
        [["ci", 6, "ended", id, "due"]]
      )
      assert.deepStrictEqual(yield* deliveries.known, ["ci", "late"])
    })
  )

  test(
    "are those that the hook selects, by what is known of the task",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const hooks = [hook("api", { where: { labels: { repo: "api" }, directory: ["/tmp"] } }), hook("all")]
      yield* deliveries.decide(hooks)
      yield* end(failed, { repo: "api" })
      yield* end(failed, { repo: "web" })
      yield* deliveries.decide(hooks)
      const count = (name: string) => Effect.map(log, (all) => all.filter(({ hook }) => hook === name).length)
      assert.deepStrictEqual([yield* count("api"), yield* count("all")], [1, 2])
    })
  )

  test(
    "leave no notice out where more have come than one look reads",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const queued = hook("queued", { on: ["queued"] })
      yield* deliveries.decide([queued])
      yield* (yield* SqlClient.SqlClient)`
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 450)
        INSERT INTO notices (kind, at) SELECT 'queued', n FROM numbers
      `
      assert.isTrue(yield* deliveries.decide([queued]))
      assert.isTrue(yield* deliveries.decide([queued]))
      assert.isFalse(yield* deliveries.decide([queued]))
      const seqs = (yield* log).map(({ seq }) => seq)
      assert.deepStrictEqual([seqs.length, new Set(seqs).size], [450, 450])
    })
  )

  test(
    "go to one worker, and an attempt that failed comes again with the same message",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      yield* deliveries.decide([ci])
      yield* end()
      yield* deliveries.decide([ci])
      const first = (yield* claimed()) ?? assert.fail()
      assert.isNull(yield* claimed([ci], ben))
      assert.isFalse(yield* deliveries.settle(first, ben, { state: "done", last: "200" }))
      assert.isTrue(yield* deliveries.settle(first, anna, { state: "due", nextAt: 5000, last: "503" }))
      assert.isNull(yield* claimed([ci], ben))
      assert.deepStrictEqual(yield* deliveries.nextDue(["ci"]), Option.some(5000))
      yield* TestClock.setTime(5000)
      // What the task is called now does not matter any more.
      yield* (yield* SqlClient.SqlClient)`DELETE FROM tasks`
      const second = (yield* claimed([ci], ben)) ?? assert.fail()
      assert.deepStrictEqual([second.id, second.body, second.attempts], [first.id, first.body, 2])
      assert.isTrue(yield* deliveries.settle(second, ben, { state: "done", last: "200" }))
      assert.isFalse(yield* deliveries.settle(second, ben, { state: "dead", last: "late" }))
      assert.deepStrictEqual(
        (yield* log).map(({ attempts, endedAt, last, state }) => [state, attempts, last, endedAt]),
        [["done", 2, "200", 5000]]
      )
      assert.isNull(yield* claimed())
    })
  )

  test(
    "of a worker that is gone are due again with their id, once, and not for ever",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      yield* deliveries.decide([ci])
      yield* end()
      yield* deliveries.decide([ci])
      const first = (yield* claimed()) ?? assert.fail()
      const [taken = assert.fail()] = yield* deliveries.taken
      assert.strictEqual(taken.sender, anna)
      assert.isTrue(yield* deliveries.release(taken))
      assert.isFalse(yield* deliveries.release(taken))
      const second = (yield* claimed([ci], ben)) ?? assert.fail()
      assert.deepStrictEqual([second.id, second.attempts], [first.id, 2])
      // The first worker was only slow: what it has to say comes too late.
      assert.isFalse(yield* deliveries.release(taken))
      assert.isFalse(yield* deliveries.settle(first, anna, { state: "dead", last: "410" }))
      yield* TestClock.adjust(patienceMs + 1)
      assert.isTrue(yield* deliveries.release({ ...taken, sender: ben }))
      assert.deepStrictEqual(
        (yield* log).map(({ state }) => state),
        ["dead"]
      )
    })
  )

  it.effect(
    "wait no longer than they were to after a clock that is set back, for the first attempt and for a later one",
    () =>
      withWall((set) =>
        Effect.gen(function* () {
          const deliveries = yield* Deliveries
          yield* TestClock.setTime(24 * 3_600_000)
          yield* deliveries.decide([ci])
          yield* end()
          yield* deliveries.decide([ci])
          yield* set(-7_200_000)
          assert.isNull(yield* claimed())
          yield* deliveries.putRight
          const first = (yield* claimed()) ?? assert.fail()
          yield* set(7_200_000)
          const now = yield* Clock.currentTimeMillis
          yield* deliveries.settle(first, anna, { state: "due", nextAt: now + 5000, last: "503" })
          yield* set(-7_200_000)
          yield* deliveries.putRight
          yield* deliveries.putRight
          assert.isNull(yield* claimed())
          yield* TestClock.adjust("5 seconds")
          const second = (yield* claimed()) ?? assert.fail()
          assert.deepStrictEqual([second.id, second.attempts], [first.id, 2])
          assert.isAtMost(second.firstAt, yield* Clock.currentTimeMillis)
        }).pipe(Effect.provide(testSql))
      )
  )

  it.effect("that a clock ahead has given up are due again once it is put right, with what is part of them", () =>
    withWall((set) =>
      Effect.gen(function* () {
        const deliveries = yield* Deliveries
        yield* TestClock.setTime(24 * 3_600_000)
        const team = hook("team", { sumMs: 1000 })
        yield* deliveries.decide([ci, team])
        yield* end()
        yield* end(failed)
        yield* deliveries.decide([ci, team])
        yield* TestClock.adjust("1 second")
        const states = Effect.map(log, (all) => all.map(({ hook, state }) => `${hook} ${state}`).sort())
        for (const name of [ci, ci, team]) assert.isNotNull(yield* claimed([name]))
        const taken = yield* deliveries.taken
        const [first = assert.fail(), refused = assert.fail(), sum = assert.fail()] = taken
        // Within its day: it stays as it is, whatever the clock does.
        yield* deliveries.settle(refused, anna, { state: "dead", last: "410" })
        const before = yield* states
        yield* set(25 * 3_600_000)
        yield* deliveries.settle(first, anna, { state: "dead", last: "503" })
        yield* deliveries.release(sum)
        assert.deepStrictEqual(yield* states, ["ci dead", "ci dead", "team dead", "team dead"])
        yield* deliveries.putRight
        assert.deepStrictEqual(yield* states, ["ci dead", "ci dead", "team dead", "team dead"])
        yield* set(-25 * 3_600_000)
        yield* deliveries.putRight
        assert.deepStrictEqual(
          yield* states,
          before.map((state) => state.replace("sending", "due"))
        )
        const again = (yield* claimed()) ?? assert.fail()
        assert.deepStrictEqual([again.seq, again.attempts], [first.seq, 2])
        // Its day is over when it is.
        yield* TestClock.adjust(patienceMs + 1)
        yield* deliveries.release({ ...first, sender: anna })
        yield* deliveries.putRight
        assert.include(yield* states, "ci dead")
        assert.notInclude(yield* states, "ci due")
      }).pipe(Effect.provide(testSql))
    )
  )

  it.effect("that a clock ahead has given up stay so where their hook was removed since", () =>
    withWall((set) =>
      Effect.gen(function* () {
        const deliveries = yield* Deliveries
        yield* TestClock.setTime(24 * 3_600_000)
        yield* deliveries.decide([ci])
        yield* end()
        yield* deliveries.decide([ci])
        const first = (yield* claimed()) ?? assert.fail()
        yield* set(25 * 3_600_000)
        yield* deliveries.settle(first, anna, { state: "dead", last: "503" })
        yield* deliveries.forget("ci")
        yield* set(-25 * 3_600_000)
        yield* deliveries.putRight
        assert.deepStrictEqual(
          (yield* log).map(({ last, state }) => [state, last]),
          [["dead", "503"]]
        )
      }).pipe(Effect.provide(testSql))
    )
  )

  test(
    "that are over can be sent again with their id, and those that a hook did not select for the first time",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      yield* deliveries.decide([ci])
      yield* end()
      yield* deliveries.decide([ci])
      const first = (yield* claimed()) ?? assert.fail()
      assert.strictEqual(Option.getOrThrow(yield* deliveries.redeliver(ci, 3)).state, "sending")
      yield* deliveries.settle(first, anna, { state: "dead", last: "410" })
      assert.deepStrictEqual(
        (yield* deliveries.counts(0)).map(({ count, hook, state }) => [hook, state, count]),
        []
      )
      const again = Option.getOrThrow(yield* deliveries.redeliver(ci, 3))
      assert.deepStrictEqual([again.state, again.attempts, again.id], ["due", 0, first.id])
      assert.strictEqual(((yield* claimed()) ?? assert.fail()).body, first.body)
      assert.strictEqual(Option.getOrThrow(yield* deliveries.redeliver(ci, 1)).kind, "queued")
      assert.isTrue(Option.isNone(yield* deliveries.redeliver(ci, 99)))
    })
  )

  test(
    "to a hook that is removed are given up, and one of the same name begins again",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      yield* deliveries.decide([ci])
      yield* end()
      yield* deliveries.decide([ci])
      yield* TestClock.setTime(10)
      yield* deliveries.forget("ci")
      yield* end()
      yield* deliveries.decide([ci])
      assert.deepStrictEqual(
        (yield* log).map(({ last, state }) => [state, last]),
        [["dead", "the hook was removed"]]
      )
      assert.deepStrictEqual(
        (yield* deliveries.counts(5)).map(({ count, hook, state }) => [hook, state, count]),
        [["ci", "dead", 1]]
      )
    })
  )

  test(
    "of a hook that sums go out as one message, and end together",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const team = hook("team", { sumMs: 60_000 })
      yield* deliveries.decide([team])
      yield* end()
      yield* deliveries.decide([team])
      yield* TestClock.adjust("30 seconds")
      yield* end(failed)
      yield* end(failed)
      yield* deliveries.decide([team])
      assert.isNull(yield* claimed([team]))
      yield* TestClock.adjust("30 seconds")
      const one = (yield* claimed([team])) ?? assert.fail()
      const { count, id, kind, text } = JSON.parse(one.body)
      assert.deepStrictEqual([kind, count, text, id], ["summary", 3, "1 completed, 2 failed", one.id])
      // What ends meanwhile belongs to the next message.
      yield* end()
      yield* deliveries.decide([team])
      yield* deliveries.settle(one, anna, { state: "due", nextAt: 61_000, last: "503" })
      yield* TestClock.setTime(61_000)
      const again = (yield* claimed([team], ben)) ?? assert.fail()
      assert.strictEqual(again.body, one.body)
      yield* deliveries.settle(again, ben, { state: "done", last: "200" })
      assert.deepStrictEqual(
        (yield* log).map(({ lead, seq, state }) => [seq, state, lead]),
        [
          [12, "due", null],
          [9, "done", 3],
          [6, "done", 3],
          [3, "done", null]
        ]
      )
    })
  )

  test(
    "of a summary whose worker is gone for too long end with it",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const team = hook("team", { sumMs: 1000 })
      yield* deliveries.decide([team])
      yield* end()
      yield* end(failed)
      yield* deliveries.decide([team])
      yield* TestClock.adjust("1 second")
      yield* claimed([team])
      const [taken = assert.fail()] = yield* deliveries.taken
      yield* deliveries.release(taken)
      yield* claimed([team], ben)
      assert.deepStrictEqual(
        (yield* log).map(({ state }) => state),
        ["summed", "sending"]
      )
      yield* TestClock.adjust(patienceMs + 1)
      assert.isTrue(yield* deliveries.release({ ...taken, sender: ben }))
      assert.deepStrictEqual(
        (yield* log).map(({ endedAt, state }) => [state, endedAt]),
        [
          ["dead", patienceMs + 1001],
          ["dead", patienceMs + 1001]
        ]
      )
    })
  )

  test(
    "know how deep the work is that they report, also where it is a pipeline",
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const ends = hook("ends", { on: ["pipeline-ended", "ended"] })
      yield* deliveries.decide([ends])
      yield* create([{ task: { depth: 2 } }])
      const { claim, task } = yield* claimNext()
      yield* (yield* Queue).finish(task.id, completed, claim)
      yield* deliveries.decide([ends])
      const first = (yield* claimed([ends])) ?? assert.fail()
      const second = (yield* claimed([ends])) ?? assert.fail()
      assert.deepStrictEqual(
        [first, second].map(({ body }) => [JSON.parse(body).kind, JSON.parse(body).depth]),
        [
          ["ended", 2],
          ["pipeline-ended", 2]
        ]
      )
    })
  )
})
