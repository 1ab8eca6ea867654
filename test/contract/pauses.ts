/** What databases promise of pauses that began while the clock was ahead. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { PutRight } from "../../src/services/PutRight.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { hour } from "../support/schedules.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, failed, newTask, submit } from "../support/tasks.ts"

export const pausesContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`PutRight of pauses over ${subject.name}`, () => {
    for (const { edited, moved, name, time } of [
      { name: "lies two hours too far", time: 3 * hour, edited: false, moved: 1 },
      { name: "is as long as it may be", time: hour, edited: false, moved: 0 },
      { name: "was set by a person", time: 3 * hour, edited: true, moved: 0 }
    ]) {
      test(
        `${moved === 1 ? "begins" : "leaves"} the pause of a retry ${moved === 1 ? "again" : "as it is"} that ${name}`,
        Effect.gen(function* () {
          const queue = yield* Queue
          const tasks = yield* Tasks
          yield* TestClock.setTime(hour)
          const first = yield* submit({ maxRetries: 1, backoffMs: 10_000 })
          const claimed = yield* claimNext()
          const notBefore = time + 12_500
          const retry = newTask({ retryOf: first.id, continuation: "retry", maxRetries: 0, notBefore })
          const { retriedBy } = yield* queue.finish(first.id, failed, claimed.claim, retry)
          const id = retriedBy ?? first.id
          if (edited) yield* queue.edit(id, { notBefore: notBefore + 1 }, 0)
          const { all } = yield* PutRight
          assert.strictEqual((yield* all).pauses, moved)
          assert.strictEqual((yield* all).pauses, 0)
          const expected = moved === 1 ? hour + 10_000 : edited ? notBefore + 1 : notBefore
          assert.strictEqual((yield* tasks.get(id)).notBefore, expected)
        })
      )
    }
  })
  describe(`PutRight of the clock over ${subject.name}`, () => {
    test(
      "knows what was written down last in a boot, and keeps ten others",
      Effect.gen(function* () {
        const clocks = yield* PutRight
        const seen = (n: number) => ({ bootId: `boot-${n}`, wallAt: n * hour, sinceBoot: n })
        assert.isTrue(Option.isNone(yield* clocks.seen("boot-1")))
        for (let n = 1; n <= 12; n++) yield* clocks.see(seen(n))
        assert.isTrue(Option.isNone(yield* clocks.seen("boot-2")))
        assert.deepStrictEqual(Option.getOrNull(yield* clocks.seen("boot-3")), seen(3))
        // The clock was ahead when the others were written down.
        const back = { ...seen(1), sinceBoot: 5 }
        yield* clocks.see(seen(1))
        yield* clocks.see(back)
        assert.deepStrictEqual(Option.getOrNull(yield* clocks.seen("boot-1")), back)
      })
    )
  })
}
