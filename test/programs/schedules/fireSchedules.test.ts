/** Schedules under a pool: who fires, when it wakes, what it pauses, and when it may leave. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { NewTask } from "../../../src/domain/task/NewTask.ts"
import { TaskId } from "../../../src/domain/task/Task.ts"
import { fireSchedules } from "../../../src/programs/schedules/fireSchedules.ts"
import { taskWork } from "../../../src/programs/schedules/ScheduleChanges.ts"
import { Schedules } from "../../../src/services/Schedules.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { createSchedule, historyOf, hour, minute, storyOf } from "../../support/schedules.ts"
import { newTask } from "../../support/tasks.ts"
import { eventually, pool, sqlLayer } from "../pooled.ts"

const task = (overrides: Partial<NewTask>) => ({ kind: "task", task: newTask(overrides) }) as const

describe("a pool with schedules", () => {
  it.effect("wakes at the fire time and starts the run", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const made = yield* createSchedule({
        maxRuns: 2,
        timing: { kind: "every", everyMs: 10_000, anchor: 0, timezone: "UTC" }
      })
      yield* pool()
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(yield* historyOf(made), [])
      yield* TestClock.adjust("1 millis")
      yield* eventually(
        "a run",
        Effect.map(historyOf(made), (all) => all.length > 0)
      )
      const [first] = yield* historyOf(made)
      assert.strictEqual(first?.at, 10_000)
      const tasks = yield* Tasks
      yield* eventually(
        "the task runs",
        Effect.map(tasks.counts, ({ running }) => running > 0)
      )
      yield* eventually(
        "two runs",
        Effect.map(schedules.get(made.id), ({ status }) => status === "completed")
      )
    }).pipe(Effect.provide(sqlLayer({ idleMs: 1000 })))
  )

  it.effect("stays while a schedule is active, however long that takes", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const made = yield* createSchedule({ timing: { kind: "at", at: 5 * hour, timezone: "UTC" } })
      const running = yield* pool({ kind: "on-demand", leaveWhenIdle: true })
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(running)))
      yield* schedules.pause(made.id, { reason: null, revision: null })
      yield* eventually("the pool leaves", Effect.map(Fiber.poll(running), Option.isSome))
    }).pipe(Effect.provide(sqlLayer({ idleMs: 1000 })))
  )
})

describe("what is due", () => {
  const cases: ReadonlyArray<readonly [what: string, overrides: Partial<NewTask>, reason: string]> = [
    ["its directory", { directory: "/gone/project" }, "the directory /gone/project does not exist any more"],
    [
      "its program",
      { launch: { file: "/gone/claude", args: [], promptAt: [], stdin: "none" } },
      "the program /gone/claude"
    ],
    ["its agent", { agent: "mine" }, "no agent 'mine'"]
  ]
  for (const [what, overrides, reason] of cases) {
    it.effect(`is paused with a reason, and not tried again, when ${what} is gone`, () =>
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule({ work: task(overrides) })
        yield* TestClock.adjust(minute)
        assert.isTrue(yield* fireSchedules())
        const paused = yield* schedules.get(made.id)
        assert.strictEqual(paused.status, "paused")
        assert.include(paused.reason ?? "", reason)
        assert.deepStrictEqual(yield* historyOf(made), [])
        assert.isFalse(yield* fireSchedules())
      }).pipe(Effect.provide(sqlLayer()))
    )
  }

  it.effect("is fired in the order of those that follow each other", () =>
    Effect.gen(function* () {
      const first = yield* createSchedule({ name: "first" })
      const second = yield* createSchedule({ follows: first.id })
      const third = yield* createSchedule({ follows: second.id })
      yield* TestClock.adjust(minute)
      yield* fireSchedules()
      for (const made of [first, second, third]) assert.deepStrictEqual(yield* storyOf(made), [[minute, "running"]])
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.effect("waits for a later fire time of the one it follows", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const first = yield* createSchedule({ jitterMs: minute / 2 })
      const second = yield* createSchedule({ follows: first.id })
      const { nextFireAt } = yield* schedules.get(first.id)
      assert.isAbove(nextFireAt ?? 0, minute)
      yield* TestClock.setTime(minute)
      yield* fireSchedules()
      assert.deepStrictEqual(yield* historyOf(second), [])
      assert.deepStrictEqual(yield* schedules.nextFire, Option.some(nextFireAt))
      yield* TestClock.setTime(nextFireAt ?? 0)
      yield* fireSchedules()
      assert.deepStrictEqual(yield* storyOf(second), [[minute, "running"]])
      assert.strictEqual((yield* historyOf(second))[0]?.at, yield* Clock.currentTimeMillis)
    }).pipe(Effect.provide(sqlLayer()))
  )
})

describe("the work of a schedule", () => {
  it("is below no task and in no trace: what submitted it may be long gone", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    const work = taskWork(newTask({ traceparent, parentId: TaskId.make("k3v9x2m7q4ab"), depth: 2 }))
    assert.deepStrictEqual(work, { kind: "task", task: newTask({ depth: 2 }) })
  })
})
