/** Waiting: for the end or a status, for all or any, with the queue kept served. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Launches } from "../../../src/layers/memory/fakes/WorkerLauncher.ts"
import { waitFor } from "../../../src/programs/tasks/waitFor.ts"
import { claimNext, completed, failed, submit } from "../../support/tasks.ts"
import { finish, layer, quietly } from "../world.ts"

const options = { ...quietly, goal: "end", any: false } as const

describe("waitFor", () => {
  it.effect("returns immediately, and launches nothing, when all is over", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const { id } = yield* submit()
      yield* finish(id, failed)
      const [task] = yield* waitFor([id], options)
      assert.strictEqual(task?.status, "failed")
      assert.strictEqual(yield* launches.count, 0)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("returns promptly when the last one ends, in the order asked", () =>
    Effect.gen(function* () {
      const a = yield* submit()
      const b = yield* submit()
      yield* claimNext()
      yield* claimNext()
      const fiber = yield* Effect.fork(waitFor([b.id, a.id, b.id], options))
      yield* TestClock.adjust("5 seconds")
      yield* finish(b.id, failed)
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* finish(a.id, completed)
      yield* TestClock.adjust("400 millis")
      const now = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        now.map(({ id, status }) => [id, status]),
        [
          [b.id, "failed"],
          [a.id, "completed"],
          [b.id, "failed"]
        ]
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("returns with the first of any", () =>
    Effect.gen(function* () {
      const a = yield* submit()
      const b = yield* submit()
      yield* claimNext()
      yield* claimNext()
      const fiber = yield* Effect.fork(waitFor([a.id, b.id], { ...options, any: true }))
      yield* TestClock.adjust("1 second")
      yield* finish(b.id, completed)
      yield* TestClock.adjust("400 millis")
      const now = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        now.map(({ status }) => status),
        ["running", "completed"]
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("launches a worker for a queue that no worker serves, and again when it is gone", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const { id } = yield* submit()
      const fiber = yield* Effect.fork(waitFor([id], options))
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(yield* launches.count, 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* launches.count, 2)
      yield* finish(id, failed)
      yield* TestClock.adjust("400 millis")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("sees a status that was passed between two looks", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const fiber = yield* Effect.fork(waitFor([id], { ...options, goal: "running" }))
      yield* TestClock.adjust("1 second")
      yield* claimNext()
      yield* finish(id, completed)
      yield* TestClock.adjust("400 millis")
      assert.strictEqual((yield* Fiber.join(fiber))[0]?.status, "completed")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("gives up on a status that is out of reach", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const fiber = yield* Effect.fork(waitFor([id], { ...options, goal: "completed" }))
      yield* TestClock.adjust("1 second")
      yield* finish(id, failed)
      yield* TestClock.adjust("400 millis")
      assert.strictEqual((yield* Fiber.join(fiber))[0]?.status, "failed")
    }).pipe(Effect.provide(layer()))
  )
})
