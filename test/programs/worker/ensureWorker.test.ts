/** Somebody always serves the queue: launches happen when they must, and no more often. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { WorkerUnavailable } from "../../../src/domain/Errors.ts"
import { LivingProcesses } from "../../../src/layers/memory/fakes/Processes.ts"
import { Launches } from "../../../src/layers/memory/fakes/WorkerLauncher.ts"
import { ensureWorker, ensureWorkerRuns } from "../../../src/programs/worker/ensureWorker.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { layer, quietly, workerOf } from "../world.ts"

const register = (pid: number, alive: boolean) =>
  Effect.gen(function* () {
    const registry = yield* WorkerRegistry
    const living = yield* LivingProcesses
    const worker = workerOf(pid)
    if (alive) yield* living.add(worker.process)
    yield* registry.register(worker)
    return worker
  })

describe("ensureWorker", () => {
  it.effect("launches where no worker is registered, and where the registered ones are dead", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      assert.isTrue(yield* ensureWorker())
      yield* register(100, false)
      assert.isTrue(yield* ensureWorker())
      assert.strictEqual(yield* launches.count, 2)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("launches nothing where one lives among the dead", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      yield* register(100, false)
      yield* register(101, true)
      yield* register(102, false)
      assert.isFalse(yield* ensureWorker())
      assert.strictEqual(yield* launches.count, 0)
    }).pipe(Effect.provide(layer()))
  )
})

describe("ensureWorkerRuns", () => {
  it.effect("launches again within seconds when the worker is killed", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const living = yield* LivingProcesses
      const worker = yield* register(100, true)
      const fiber = yield* Effect.fork(ensureWorkerRuns(quietly))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* launches.count, 0)
      yield* living.end(worker.process)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* launches.count, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("gives a worker that was just launched time to register", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const fiber = yield* Effect.fork(ensureWorkerRuns({ ...quietly, justLaunched: true }))
      yield* TestClock.adjust("1900 millis")
      assert.strictEqual(yield* launches.count, 0)
      yield* register(100, true)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* launches.count, 0)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("slows down and reports once that no worker stays up, and continues", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const told = yield* Ref.make<ReadonlyArray<string>>([])
      const fiber = yield* Effect.fork(
        ensureWorkerRuns({
          justLaunched: false,
          onTrouble: (problem) => Ref.update(told, (all) => [...all, problem._tag])
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Ref.get(told), ["WorkerUnavailable"])
      const inTheFirstMinute = yield* launches.count
      assert.isAtLeast(inTheFirstMinute, 4)
      assert.isAtMost(inTheFirstMinute, 6)
      yield* TestClock.adjust("10 minutes")
      assert.isAtMost((yield* launches.count) - inTheFirstMinute, 21)
      assert.isAtLeast((yield* launches.count) - inTheFirstMinute, 19)
      assert.strictEqual((yield* Ref.get(told)).length, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("outlives a launch that fails", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      yield* launches.failNext(new WorkerUnavailable({ detail: "EAGAIN", log: "/log" }))
      const fiber = yield* Effect.fork(ensureWorkerRuns(quietly))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* launches.count, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(layer()))
  )
})
