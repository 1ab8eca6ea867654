/** A worker that has to be gone soon leaves the queue to another one, also where the database does not answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Launches } from "../../../src/layers/memory/fakes/WorkerLauncher.ts"
import { stopInTime } from "../../../src/programs/serving/handOver.ts"
import * as WorkerPoolLayer from "../../../src/programs/serving/WorkerPool.ts"
import { WorkerLauncher } from "../../../src/services/WorkerLauncher.ts"
import { WorkerPool } from "../../../src/services/WorkerPool.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { eventually, submit, testLayer } from "../pooled.ts"

const launch = Effect.flatMap(WorkerLauncher, (launcher) => launcher.launch)
const stopped = (stop: Effect.Effect<unknown>) => stopInTime({ stop, within: "500 millis", launch })

/** No row can be deleted, as while another process holds the write lock for minutes. */
const locked = Layer.effect(
  WorkerRegistry,
  Effect.map(WorkerRegistry, (registry) =>
    WorkerRegistry.of({ ...registry, leave: () => Effect.delay(Effect.succeed(true), "2 minutes") })
  )
)

const serving = Effect.flatMap(WorkerPool, ({ left }) => left).pipe(
  Effect.provide(
    WorkerPoolLayer.layer({ kind: "mcp", version: "0.0.0", leaveWhenIdle: false, handOverWithin: "350 millis" })
  )
)

describe("a pool whose server leaves", () => {
  it.effect("hands over within a second where its row cannot be taken off the list", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const registry = yield* WorkerRegistry
      yield* submit({ notBefore: 3_600_000 })
      const pool = yield* Effect.fork(serving)
      yield* eventually(
        "it serves",
        Effect.map(registry.workers, ({ length }) => length === 1)
      )
      const leaving = yield* Effect.fork(Fiber.interrupt(pool))
      yield* TestClock.adjust("600 millis")
      const launched = yield* launches.count
      yield* TestClock.adjust("3 minutes")
      yield* Fiber.join(leaving)
      assert.strictEqual(launched, 1)
    }).pipe(Effect.provide(Layer.provideMerge(locked, testLayer())))
  )

  it.effect("launches none with nothing in the queue", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const registry = yield* WorkerRegistry
      const pool = yield* Effect.fork(serving)
      yield* eventually(
        "it serves",
        Effect.map(registry.workers, ({ length }) => length === 1)
      )
      yield* stopped(Fiber.interrupt(pool))
      assert.strictEqual(yield* launches.count, 0)
      assert.deepStrictEqual(yield* registry.workers, [])
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("a stop that has a bound", () => {
  it.effect("launches a worker where the stop does not come through", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const stopping = yield* Effect.fork(stopped(Effect.uninterruptible(Effect.sleep("1 minute"))))
      yield* TestClock.adjust("499 millis")
      assert.strictEqual(yield* launches.count, 0)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(stopping)
      assert.strictEqual(yield* launches.count, 1)
    }).pipe(Effect.provide(testLayer()))
  )
})
