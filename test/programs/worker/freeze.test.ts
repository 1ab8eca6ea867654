/** Frozen tasks: nothing is timed while their processes are stopped, and whichever worker dies, the next one completes the step. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { Failpoints } from "../../../src/services/Failpoints.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { ended, eventually, nextStart, pool, sqlLayer, submit } from "../pooled.ts"

const freezing = (id: TaskId, freeze = true) =>
  Effect.flatMap(Gates, (gates) =>
    gates.close({ scope: "task", name: id, until: null, reason: null, by: "anna", freeze })
  )

const thawing = (id: TaskId) => Effect.flatMap(Gates, (gates) => gates.open("task", id))

const isFrozen = (id: TaskId) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.summary(id), ({ frozenAt }) => frozenAt !== null))

const claimOf = (id: TaskId) =>
  Effect.flatMap(WorkerRegistry, (registry) => Effect.map(registry.claimOf(id), Option.getOrNull))

/** A pool that hangs at a place, as if it were killed there once it is interrupted. */
const hangingAt = (place: string) =>
  pool().pipe(Effect.provideService(Failpoints, (name) => (name === place ? Effect.never : Effect.void)))

describe("a frozen task", () => {
  it.scoped("has no clock: neither its timeout nor its stall limit counts", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit({ timeoutMs: 12_000, stallMs: 8000 })
      const { claim } = yield* nextStart
      yield* TestClock.adjust("2 seconds")
      yield* freezing(id)
      yield* eventually("it is frozen", isFrozen(id))
      assert.isTrue(yield* control.frozen(claim.claimId))
      yield* TestClock.adjust("15 seconds")
      assert.isTrue(yield* isFrozen(id))
      yield* thawing(id)
      yield* eventually(
        "it continues",
        Effect.map(isFrozen(id), (frozen) => !frozen)
      )
      assert.isFalse(yield* control.frozen(claim.claimId))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* (yield* Tasks).summary(id)).status, "running")
      assert.strictEqual((yield* ended(id)).cause, "stalled")
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("keeps what is left of its timeout while no worker lives", () =>
    Effect.gen(function* () {
      const first = yield* pool()
      const id = yield* submit({ timeoutMs: 5000 })
      yield* nextStart
      yield* freezing(id)
      yield* eventually("it is frozen", isFrozen(id))
      const before = (yield* claimOf(id))?.deadlineUptime ?? 0
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("15 seconds")
      yield* pool()
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(yield* isFrozen(id))
      yield* thawing(id)
      yield* eventually(
        "it continues",
        Effect.map(isFrozen(id), (frozen) => !frozen)
      )
      assert.isAtLeast(((yield* claimOf(id))?.deadlineUptime ?? 0) - before, 15_000)
      assert.strictEqual((yield* ended(id)).cause, "timeout")
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("is ended by a cancel, and by a pause that parks it", () =>
    Effect.gen(function* () {
      const tasks = yield* Tasks
      yield* pool()
      const doomed = yield* submit()
      yield* nextStart
      const parked = yield* submit({ agent: "claude" })
      yield* nextStart
      yield* freezing(doomed)
      yield* freezing(parked)
      yield* eventually(
        "both are frozen",
        Effect.zipWith(isFrozen(doomed), isFrozen(parked), (one, two) => one && two)
      )
      yield* (yield* Queue).cancel(doomed, { reason: null, by: "anna" })
      assert.strictEqual((yield* ended(doomed)).status, "cancelled")
      yield* freezing(parked, false)
      yield* eventually(
        "it is parked",
        Effect.map(tasks.summary(parked), ({ frozenAt, status }) => status === "queued" && frozenAt === null)
      )
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("that is gone when a worker looks has lost its owner, as any other", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* pool()
      const id = yield* submit()
      const { claim } = yield* nextStart
      yield* freezing(id)
      yield* eventually("it is frozen", isFrozen(id))
      yield* control.lose(claim.claimId)
      assert.strictEqual((yield* ended(id)).cause, "owner-lost")
      assert.deepStrictEqual(yield* (yield* Gates).list, [])
    }).pipe(Effect.provide(sqlLayer()))
  )

  for (const place of ["freeze.recorded", "freeze.stopped", "freeze.confirmed"]) {
    it.scoped(
      `is frozen by the next worker when the first is killed at ${place}, or continues if that is wanted by then`,
      () =>
        Effect.gen(function* () {
          const control = yield* SpawnerControl
          for (const wanted of [true, false]) {
            const first = yield* hangingAt(place)
            const id = yield* submit()
            const { claim } = yield* nextStart
            yield* freezing(id)
            yield* eventually(
              "it begins",
              Effect.map(claimOf(id), (one) => one?.frozenUptime != null)
            )
            yield* TestClock.adjust("5 seconds")
            yield* Fiber.interrupt(first)
            if (!wanted) yield* thawing(id)
            const second = yield* pool()
            yield* eventually(
              "it is as wanted",
              Effect.zipWith(
                isFrozen(id),
                control.frozen(claim.claimId),
                (told, is) => told === wanted && is === wanted
              )
            )
            yield* control.end(claim.claimId, { exitCode: 0, signal: null })
            assert.strictEqual((yield* ended(id)).status, "completed")
            yield* Fiber.interrupt(second)
          }
        }).pipe(Effect.provide(sqlLayer()))
    )
  }

  it.scoped("continues when the worker is killed that has just continued it", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const first = yield* hangingAt("thaw.continued")
      const id = yield* submit({ timeoutMs: 60_000 })
      const { claim } = yield* nextStart
      yield* freezing(id)
      yield* eventually("it is frozen", isFrozen(id))
      yield* thawing(id)
      yield* eventually(
        "it runs",
        Effect.map(control.frozen(claim.claimId), (frozen) => !frozen)
      )
      yield* Fiber.interrupt(first)
      yield* pool()
      yield* eventually(
        "it says so",
        Effect.map(isFrozen(id), (frozen) => !frozen)
      )
      assert.isNull((yield* claimOf(id))?.frozenUptime ?? null)
    }).pipe(Effect.provide(sqlLayer()))
  )
})
