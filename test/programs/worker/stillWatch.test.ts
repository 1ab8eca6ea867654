/** An idle worker leaves out whole looks, and none that would find something. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { WorkerId } from "../../../src/domain/worker/Worker.ts"
import { makeStillWatch } from "../../../src/programs/serving/stillWatch.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { createSchedule } from "../../support/schedules.ts"
import { testSql } from "../../support/stores.ts"
import { submit, submitAndClaim, workerA, workerB, workerWith } from "../../support/tasks.ts"

const worker = (id: WorkerId) => workerWith({ id, process: { pid: 300, startTime: "99", bootId: "boot-1" } })

const idle = Effect.fnUntraced(function* (alone = false) {
  const registry = yield* WorkerRegistry
  yield* registry.register(worker(workerA))
  const watch = makeStillWatch(workerA, alone)
  assert.isFalse(yield* watch.holds)
  yield* watch.looked(false)
  assert.isTrue(yield* watch.holds)
  return watch
})

describe("an idle worker", () => {
  it.effect("looks when a task is queued or runs, when it is busy, and every two minutes", () =>
    Effect.gen(function* () {
      const watch = yield* idle()
      yield* TestClock.adjust("119 seconds")
      assert.isTrue(yield* watch.holds)
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(yield* watch.holds)
      yield* watch.looked(false)
      assert.isTrue(yield* watch.holds)
      yield* watch.looked(true)
      assert.isFalse(yield* watch.holds)
      yield* watch.looked(false)
      yield* submitAndClaim()
      for (const _ of [1, 2]) {
        assert.isFalse(yield* watch.holds)
        yield* watch.looked(false)
      }
    }).pipe(Effect.provide(testSql))
  )

  it.effect("looks when another worker comes or goes, where it leaves for an older one", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      yield* createSchedule()
      const [one, alone] = [yield* idle(), yield* idle(true)]
      yield* registry.register(worker(workerB))
      assert.deepStrictEqual([yield* one.holds, yield* alone.holds], [true, false])
      // Its row is gone, as after a restored backup: it registers again.
      yield* registry.leave(workerA, "always")
      assert.isFalse(yield* one.holds)
    }).pipe(Effect.provide(testSql))
  )

  it.effect("looks when a schedule is made and when it fires", () =>
    Effect.gen(function* () {
      const watch = yield* idle()
      assert.isNull(watch.nextFireAt())
      yield* createSchedule({ timing: { kind: "every", everyMs: 30_000, anchor: 0, timezone: "UTC" } })
      assert.isFalse(yield* watch.holds)
      yield* watch.looked(false)
      assert.isTrue(yield* watch.holds)
      const at = watch.nextFireAt() ?? 0
      yield* TestClock.setTime(at - 1)
      assert.isTrue(yield* watch.holds)
      yield* TestClock.setTime(at)
      assert.isFalse(yield* watch.holds)
    }).pipe(Effect.provide(testSql))
  )

  it.effect("does rarely what it needs rarely", () =>
    Effect.gen(function* () {
      const watch = yield* idle()
      let runs = 0
      const work = watch.rarely(Effect.sync(() => (runs += 1)))
      yield* work
      yield* work
      assert.strictEqual(runs, 1)
      yield* submit()
      yield* watch.holds
      yield* work
      assert.strictEqual(runs, 2)
    }).pipe(Effect.provide(testSql))
  )
})
