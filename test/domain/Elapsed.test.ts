/** Bounds on the clock that cannot be set. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { upTo } from "../../src/domain/Elapsed.ts"
import { withWall } from "../support/wall.ts"

const hour = 3_600_000

describe("the bound of a schedule", () => {
  it.scoped("holds where the pauses are fractions of milliseconds", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.retry(Effect.fail("busy"), Schedule.spaced("400 millis").pipe(Schedule.jittered, upTo(20_000)))
      )
      yield* TestClock.adjust("19 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), "busy")
    })
  )

  it.scoped.each([
    { name: "is not set", jump: 0 },
    { name: "is set forward", jump: 2 * hour },
    { name: "is set back", jump: -2 * hour }
  ])("holds where the clock on the wall $name", ({ jump }) =>
    withWall((set) =>
      Effect.gen(function* () {
        let attempts = 0
        const failing = Effect.suspend(() => {
          attempts += 1
          return Effect.fail("busy")
        })
        const schedule = Schedule.spaced("1 second").pipe(upTo(20_000))
        const fiber = yield* Effect.fork(Effect.retry(failing, schedule))
        yield* TestClock.adjust("3500 millis")
        yield* set(jump)
        yield* TestClock.adjust("15 seconds")
        assert.strictEqual(attempts, 19)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(attempts, 21)
        assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)))
      })
    )
  )
})
