/** A clock that is set while things run: nothing ends early, nothing is kept alive, nothing waits for the wrong hour. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { elapsedMs } from "../../src/domain/Elapsed.ts"
import { HostControl } from "../../src/layers/memory/fakes/Host.ts"
import { makeWatch } from "../../src/programs/watch.ts"
import { makeSettling, settlingMs } from "../../src/programs/worker/admission.ts"
import { Host } from "../../src/services/Host.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { waits } from "../support/dueTimes.ts"
import { hour } from "../support/schedules.ts"
import { withWall } from "../support/wall.ts"
import { ended, eventually, nextStart, pool, sqlLayer, submit, testLayer } from "./pooled.ts"

const jumps: ReadonlyArray<readonly [name: string, milliseconds: number]> = [
  ["forward by two hours", 2 * hour],
  ["back by two hours", -2 * hour],
  ["forward by a year", 365 * 24 * hour],
  ["back by a second", -1000]
]

/** The tests begin late enough for a clock that is set back. */
const later = TestClock.adjust("1 day")

describe.each(jumps)("a clock that is set %s", (_name, jump) => {
  it.scoped("neither ends a task before its timeout nor lets it run past it", () =>
    withWall((set) =>
      Effect.gen(function* () {
        yield* later
        const tasks = yield* Tasks
        yield* pool()
        const id = yield* submit({ timeoutMs: 3000 })
        yield* nextStart
        const began = yield* elapsedMs
        yield* TestClock.adjust("1 second")
        yield* set(jump)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* tasks.summary(id)).status, "running")
        const task = yield* ended(id)
        assert.strictEqual(task.cause, "timeout")
        assert.isBelow((yield* elapsedMs) - began, 4500)
      })
    ).pipe(Effect.provide(testLayer()))
  )

  it.scoped("does not change what an adopter finds left of a timeout", () =>
    withWall((set) =>
      Effect.gen(function* () {
        yield* later
        const registry = yield* WorkerRegistry
        const host = yield* Host
        const first = yield* pool()
        const id = yield* submit({ timeoutMs: 6000 })
        yield* nextStart
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust("2 seconds")
        yield* set(jump)
        yield* pool()
        yield* TestClock.adjust("2 seconds")
        const claim = Option.getOrThrow(yield* registry.claimOf(id))
        assert.strictEqual(claim.stopCause, null)
        assert.closeTo((claim.deadlineUptime ?? 0) - (yield* host.uptimeMs), 2000, 1000)
        assert.strictEqual((yield* ended(id)).cause, "timeout")
      })
    ).pipe(Effect.provide(testLayer({ graceMs: 0 })))
  )

  it.scoped("does not make a wait for a change longer", () =>
    withWall((set) =>
      Effect.gen(function* () {
        yield* later
        const { untilNext } = yield* makeWatch()
        const waiting = yield* Effect.fork(untilNext(Effect.void, () => true))
        yield* TestClock.adjust("100 millis")
        yield* set(jump)
        yield* TestClock.adjust("300 millis")
        assert.isTrue(Option.isSome(yield* Fiber.poll(waiting)))
      })
    ).pipe(Effect.provide(testLayer()))
  )

  it.scoped("neither makes a worker settle for hours nor forgets that it has just started", () =>
    withWall((set) =>
      Effect.gen(function* () {
        yield* later
        const registry = yield* WorkerRegistry
        yield* pool()
        yield* submit()
        yield* nextStart
        const claims = yield* registry.claims
        const settling = makeSettling()
        assert.strictEqual(yield* settling(claims), 1)
        yield* set(jump)
        assert.strictEqual(yield* settling(claims), 1)
        yield* TestClock.adjust(settlingMs)
        assert.strictEqual(yield* settling(claims), 0)
        // A process that comes later sees only a claim of the other clock.
        const newcomer = makeSettling()
        yield* newcomer(claims)
        yield* TestClock.adjust(settlingMs)
        assert.strictEqual(yield* newcomer(claims), 0)
      })
    ).pipe(Effect.provide(testLayer()))
  )

  it.scoped("lets an idle worker leave when its time has come", () =>
    withWall((set) =>
      Effect.gen(function* () {
        yield* later
        const began = yield* elapsedMs
        const running = yield* pool({ kind: "on-demand", leaveWhenIdle: true })
        yield* TestClock.adjust("1 second")
        yield* set(jump)
        yield* TestClock.adjust("500 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(running)))
        yield* eventually("the pool leaves", Effect.map(Fiber.poll(running), Option.isSome))
        assert.isBelow((yield* elapsedMs) - began, 8000)
      })
    ).pipe(Effect.provide(testLayer({ idleMs: 3000 })))
  )
})

describe("a clock that jumps ahead", () => {
  for (const { arrange, ends, name } of waits.filter((wait) => wait.ends > 0)) {
    it.scoped(`and is put right again has not come to ${name}; one that stays there has`, () =>
      withWall((set) =>
        Effect.gen(function* () {
          yield* later
          const queued = Effect.map((yield* Tasks).counts, (counts) => counts.queued)
          yield* arrange((yield* Clock.currentTimeMillis) + hour)
          const before = yield* queued
          yield* pool()
          const pass = (seconds: number) => Effect.repeatN(TestClock.adjust("100 millis"), seconds * 10 - 1)
          yield* pass(7)
          yield* set(hour)
          yield* pass(4)
          assert.strictEqual(yield* queued, before)
          yield* set(-hour)
          yield* pass(10)
          assert.strictEqual(yield* queued, before)
          yield* set(hour)
          yield* pass(10)
          assert.strictEqual(yield* queued, before - ends)
        })
      ).pipe(Effect.provide(sqlLayer({ maxConcurrency: 10 })))
    )
  }
})

describe("a machine whose clock runs on while it sleeps, as on macOS", () => {
  it.scoped("does not count the sleep as used time", () =>
    Effect.gen(function* () {
      const host = yield* HostControl
      const tasks = yield* Tasks
      yield* pool()
      const id = yield* submit({ timeoutMs: 16_000 })
      yield* nextStart
      yield* TestClock.adjust("2 seconds")
      yield* host.sleep(3 * hour)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* tasks.summary(id)).status, "running")
      const before = yield* Clock.currentTimeMillis
      assert.strictEqual((yield* ended(id)).cause, "timeout")
      assert.isBelow((yield* Clock.currentTimeMillis) - before, 13_000)
    }).pipe(Effect.provide(testLayer()))
  )
})
