/** A worker that sleeps wakes at each time at which something may start, and no half minute later. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { HostControl } from "../../../src/layers/memory/fakes/Host.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { SettingsStore } from "../../../src/services/SettingsStore.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { soon, soonMs, waits } from "../../support/dueTimes.ts"
import { pool, sqlLayer, submit, testLayer } from "../pooled.ts"

const day = 24 * 3_600_000
const stepMs = 100

/** Time passes in small steps, so that each fiber that sleeps gets its turn. */
const pass = (milliseconds: number) => Effect.repeatN(TestClock.adjust(stepMs), Math.round(milliseconds / stepMs) - 1)

const starts = Effect.flatMap(SpawnerControl, (control) => control.starts)
const queued = Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.counts, (counts) => counts.queued))

describe("a worker whose tasks wait for a time", () => {
  for (const { arrange, ends, name } of waits) {
    it.scoped(`wakes at ${name}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(day)
        yield* arrange(yield* soon)
        yield* pool()
        yield* pass(soonMs - stepMs)
        const waiting = yield* queued
        yield* pass(2 * stepMs)
        assert.strictEqual(yield* queued, waiting - (ends || 1))
      }).pipe(Effect.provide(sqlLayer({ maxConcurrency: 10 })))
    )
  }

  it.scoped("asks for no task before that time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(day)
      yield* submit({ notBefore: day + soonMs })
      const control = yield* SpawnerControl
      yield* pool()
      yield* pass(soonMs - stepMs)
      assert.strictEqual(yield* control.starts, 0)
      yield* pass(2 * stepMs)
      assert.strictEqual(yield* control.starts, 1)
    }).pipe(Effect.provide(testLayer()))
  )
})

describe("a worker whose tasks wait for something else", () => {
  it.scoped("starts one within a second when memory suffices again", () =>
    Effect.gen(function* () {
      const host = yield* HostControl
      yield* submit()
      yield* submit()
      yield* host.setAvailableMemory(0)
      yield* pool()
      // Where nothing runs one starts, however little there is.
      yield* pass(soonMs)
      assert.strictEqual(yield* starts, 1)
      yield* host.setAvailableMemory(64 * 1024 ** 3)
      yield* pass(1000)
      assert.strictEqual(yield* starts, 2)
    }).pipe(Effect.provide(sqlLayer({ maxConcurrency: 10 })))
  )

  it.scoped("starts one within three seconds when the settings have room for it", () =>
    Effect.gen(function* () {
      yield* submit()
      yield* submit()
      yield* pool()
      yield* pass(soonMs)
      assert.strictEqual(yield* starts, 1)
      yield* (yield* SettingsStore).update((settings) => Effect.succeed({ ...settings, maxConcurrency: 2 }))
      yield* pass(3000)
      assert.strictEqual(yield* starts, 2)
    }).pipe(Effect.provide(sqlLayer({ maxConcurrency: 1 })))
  )
})
