/** The stall watch, look by look: when it ends silence, and when it does not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProcessCpu } from "../../../src/domain/task/Stall.ts"
import { TaskId } from "../../../src/domain/task/Task.ts"
import { ClaimId } from "../../../src/domain/worker/Claim.ts"
import { heard, isStalled, stallWatch, untilReading } from "../../../src/programs/worker/StallWatch.ts"
import { Spawner, type Target } from "../../../src/services/Spawner.ts"

const minute = 60_000

const target: Target = {
  taskId: TaskId.make("000000000001"),
  claimId: ClaimId.make("0000000000000001"),
  process: null,
  bootId: "boot-1",
  spare: []
}

interface Run {
  readonly agent: string
  readonly stallMs: number | null
  readonly forMs: number
  /** CPU milliseconds used so far. */
  readonly used: (at: number) => number
  readonly role?: ProcessCpu["role"]
  readonly printsAt?: number
}

/** Looks every 2 seconds, as a quiet task is looked at: when the task ended, and how often its CPU use was read. */
const silent = ({ agent, forMs, printsAt, role = "agent", stallMs, used }: Run) => {
  let now = 0
  let readings = 0
  const cpuUse = () =>
    Effect.sync(() => {
      readings += 1
      return [{ key: "one", role, ownMillis: used(now), waitedMillis: 0 }]
    })
  const watching = Effect.gen(function* () {
    const watch = stallWatch(0)
    while (now < forMs) {
      now += 2000
      if (now === printsAt) heard(watch)
      if (yield* isStalled({ agent, stallMs }, target, watch, now)) return { after: now, readings }
      assert.isAbove(untilReading(stallMs, watch), 0)
    }
    return { after: null, readings }
  })
  return Effect.provide(watching, Layer.mock(Spawner, { cpuUse }))
}

/** So much in each 15 seconds. */
const steady = (millis: number) => (at: number) => (millis * at) / 15_000

describe("the stall watch", () => {
  /** What each uses in 15 seconds while it waits. */
  const waiting = [
    ["claude", 30],
    ["codex", 20],
    ["gemini", 60],
    ["opencode", 290],
    ["shell", 40]
  ] as const
  for (const [agent, millis] of waiting) {
    for (const limit of [minute, 30 * minute]) {
      it.effect(`ends ${agent} that waits, at ${limit / minute} min`, () =>
        Effect.gen(function* () {
          const { after, readings } = yield* silent({ agent, stallMs: limit, forMs: 2 * limit, used: steady(millis) })
          assert.isAtLeast(after ?? 0, limit)
          assert.isAtMost(after ?? Number.POSITIVE_INFINITY, limit + 8000)
          assert.strictEqual(readings, 4)
        })
      )
    }
  }

  for (const burst of [2000, 14_000, 20_000, 30_000]) {
    it.effect(`is put off by a burst after ${burst / 1000} s, and no longer than 90 s`, () =>
      Effect.gen(function* () {
        const used = (at: number) => steady(20)(at) + (at >= burst ? 5000 : 0)
        const { after } = yield* silent({ agent: "claude", stallMs: minute, forMs: 5 * minute, used })
        assert.isAtLeast(after ?? 0, minute)
        assert.isAtMost(after ?? Number.POSITIVE_INFINITY, 90_000)
      })
    )
  }

  const hours = { stallMs: 30 * minute, forMs: 6 * 60 * minute }

  it.effect("lets a tool build in silence for hours", () =>
    Effect.gen(function* () {
      const run = { ...hours, agent: "claude", role: "tool" as const, used: steady(225) }
      assert.isNull((yield* silent(run)).after)
    })
  )

  it.effect("lets a tool work that rests between its bursts", () =>
    Effect.gen(function* () {
      const used = (at: number) => 30_000 * Math.floor(at / (15 * minute))
      assert.isNull((yield* silent({ ...hours, agent: "opencode", role: "tool", used })).after)
    })
  )

  it.effect("lets a command compute, and an agent think aloud to itself", () =>
    Effect.gen(function* () {
      assert.isNull((yield* silent({ ...hours, agent: "shell", used: steady(15_000) })).after)
      assert.isNull((yield* silent({ ...hours, agent: "claude", used: steady(210) })).after)
    })
  )

  it.effect("begins again with each output", () =>
    Effect.gen(function* () {
      const run = { agent: "claude", stallMs: minute, forMs: 5 * minute, used: steady(10), printsAt: 50_000 }
      const { after } = yield* silent(run)
      assert.isAtLeast(after ?? 0, 110_000)
      assert.isAtMost(after ?? Number.POSITIVE_INFINITY, 120_000)
    })
  )

  it.effect(
    "counts a planned minute without a look as silence, and of an hour in which the machine slept only that",
    () =>
      Effect.gen(function* () {
        const watch = stallWatch(0)
        const look = (at: number) => isStalled({ agent: "claude", stallMs: 8 * 60 * minute }, target, watch, at)
        watch.restMs = minute
        yield* look(minute)
        assert.strictEqual(watch.silent, minute)
        yield* look(61 * minute)
        assert.strictEqual(watch.silent, 2 * minute + 2000)
        watch.restMs = 250
        yield* look(121 * minute)
        assert.strictEqual(watch.silent, 2 * minute + 12_000)
      }).pipe(Effect.provide(Layer.mock(Spawner, {})))
  )

  it.effect("is off without a limit, and reads nothing", () =>
    Effect.gen(function* () {
      const run = { agent: "shell", stallMs: null, forMs: 5 * minute, used: steady(0) }
      assert.deepStrictEqual(yield* silent(run), { after: null, readings: 0 })
    })
  )
})
