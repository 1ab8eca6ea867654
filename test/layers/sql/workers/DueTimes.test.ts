/** Each time at which the store answers differently is listed before it comes. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { DueTimes } from "../../../../src/services/DueTimes.ts"
import { Gates } from "../../../../src/services/Gates.ts"
import { Goals } from "../../../../src/services/Goals.ts"
import { LateRounds } from "../../../../src/services/LateRounds.ts"
import { Limits } from "../../../../src/services/Limits.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { soon, soonMs, waits } from "../../../support/dueTimes.ts"
import { testSql } from "../../../support/stores.ts"
import { claimOptions, submit } from "../../../support/tasks.ts"

const day = 24 * 3_600_000
const next = (since: number) => Effect.flatMap(DueTimes, (times) => Effect.map(times.next(since), Option.getOrNull))
const claim = Effect.flatMap(Queue, (queue) => queue.claim(claimOptions({ maxConcurrency: 100 })))

/** How many tasks may start now: they are claimed. */
const claimAll = Effect.gen(function* () {
  let claimed = 0
  while (Option.isSome(yield* claim)) claimed += 1
  return claimed
})

const stopped = Effect.gen(function* () {
  const goals = yield* (yield* Goals).stopOverdue
  const tasks = yield* (yield* Limits).overdue
  return goals.length + tasks.length + (yield* (yield* LateRounds).end).length
})

describe("the times that a worker sleeps until", () => {
  it.effect("are none in an empty store, or where tasks wait for a person", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(day)
      assert.isNull(yield* next(day))
      yield* submit()
      yield* (yield* Gates).close({ scope: "all", name: "", until: null, reason: null, by: "anna", freeze: false })
      assert.isNull(yield* next(day))
    }).pipe(Effect.provide(testSql))
  )

  for (const { arrange, ends, name, starts } of waits) {
    it.effect(`have ${name}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(day)
        const at = yield* soon
        yield* arrange(at)
        assert.strictEqual(yield* next(day), at)
        assert.deepStrictEqual([yield* claimAll, yield* stopped], [starts, 0])
        yield* TestClock.adjust(soonMs - 1)
        assert.deepStrictEqual([yield* claimAll, yield* stopped], [0, 0])
        assert.strictEqual(yield* next(at - 1), at)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* ends > 0 ? stopped : claimAll, ends || 1)
        assert.notStrictEqual(yield* next(at), at)
      }).pipe(Effect.provide(testSql))
    )
  }

  it.effect("have the end of the room of spare tasks", () =>
    Effect.gen(function* () {
      yield* (yield* SqlClient.SqlClient)`UPDATE lanes SET spare = 1, shuts_at = 2000`
      assert.deepStrictEqual([yield* next(1000), yield* next(2000)], [2000, null])
    }).pipe(Effect.provide(testSql))
  )

  it.effect("have each moment at which an account has more places, and none after the last", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(day)
      const places = waits.find(({ name }) => name.startsWith("more places"))
      yield* places?.arrange(day + 20_000) ?? Effect.void
      const times = [-5000, 0, 19_999, 20_000, 119_999, 120_000].map((after) => next(day + after))
      const found = (yield* Effect.all(times)).map((at) => (at === null ? null : at - day))
      assert.deepStrictEqual(found, [20_000, 20_000, 20_000, 40_000, 120_000, null])
    }).pipe(Effect.provide(testSql))
  )
})
