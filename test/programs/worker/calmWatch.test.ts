/** A worker with tasks leaves out whole looks while nothing moves, and none that would find something. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { withDefaults } from "../../../src/domain/settings/Settings.ts"
import * as Processes from "../../../src/layers/memory/fakes/Processes.ts"
import { LivingProcesses } from "../../../src/layers/memory/fakes/Processes.ts"
import { type Ground, makeCalmWatch } from "../../../src/programs/serving/calmWatch.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { testSql } from "../../support/stores.ts"
import { submit, workerB, workerWith } from "../../support/tasks.ts"

const settings = withDefaults({}, 2)
const neighbour = { pid: 300, startTime: "99", bootId: "boot-1" }

const calm = Effect.fnUntraced(function* (fields: Partial<Ground["rhythm"]> = {}) {
  yield* (yield* LivingProcesses).add(neighbour)
  const watch = makeCalmWatch()
  assert.isNull(yield* watch.holds("1 1", settings))
  const rhythm = { rest: 0, liveness: 1000, dueAt: null, queued: 0, running: 1, short: false, alone: false, ...fields }
  const others = [workerWith({ id: workerB, process: neighbour })]
  yield* watch.looked({ mark: "1 1", settings, others, rhythm })
  assert.deepStrictEqual(yield* watch.holds("1 1", settings), rhythm)
  return { watch, holds: Effect.map(watch.holds("1 1", settings), (found) => found !== null) }
})

describe("a worker whose tasks are silent", () => {
  it.effect(
    "looks after a commit, when settings change, when something has happened in it, and every half minute",
    () =>
      Effect.gen(function* () {
        const { holds, watch } = yield* calm()
        assert.isNull(yield* watch.holds("2 1", settings))
        assert.isNull(yield* watch.holds("1 2", settings))
        assert.isNull(yield* watch.holds("1 1", { ...settings }))
        yield* TestClock.adjust("29 seconds")
        assert.isTrue(yield* holds)
        yield* TestClock.adjust("2 seconds")
        assert.isFalse(yield* holds)
        const again = yield* calm()
        yield* again.watch.looked(null)
        assert.isFalse(yield* again.holds)
      }).pipe(Effect.provide(Processes.layer))
  )

  it.effect("looks when another worker has died", () =>
    Effect.gen(function* () {
      const { holds } = yield* calm()
      yield* (yield* LivingProcesses).end(neighbour)
      assert.isFalse(yield* holds)
    }).pipe(Effect.provide(Processes.layer))
  )

  it.effect("reads a number that rises with each change of its connection", () =>
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const before = yield* tasks.ownChanges
      assert.strictEqual(yield* tasks.ownChanges, before)
      yield* submit()
      assert.isAbove(yield* tasks.ownChanges, before)
    }).pipe(Effect.provide(testSql))
  )

  it.effect("does what follows from commits once after each whole look, and always while something moves", () =>
    Effect.gen(function* () {
      const { watch } = yield* calm()
      let runs = 0
      const work = watch.rarely(Effect.sync(() => (runs += 1)))
      yield* Effect.repeatN(work, 2)
      assert.strictEqual(runs, 1)
      const rhythm = { rest: 0, liveness: 1000, dueAt: null, queued: 0, running: 1, short: false, alone: true }
      yield* watch.looked({ mark: "1 1", settings, others: [], rhythm })
      yield* Effect.repeatN(work, 2)
      assert.strictEqual(runs, 2)
      yield* watch.looked(null)
      yield* Effect.repeatN(work, 2)
      assert.strictEqual(runs, 5)
    }).pipe(Effect.provide(Processes.layer))
  )

  it.effect("looks when something is due", () =>
    Effect.gen(function* () {
      const { holds } = yield* calm({ dueAt: 5000 })
      yield* TestClock.adjust("4999 millis")
      assert.isTrue(yield* holds)
      yield* TestClock.adjust("1 millis")
      assert.isFalse(yield* holds)
    }).pipe(Effect.provide(Processes.layer))
  )
})
