/** What a worker does about limits now and then: it asks where that is free, gives tasks to their fallbacks, and renews spare room. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import type { Seen } from "../../../src/domain/limits/Signal.ts"
import * as SettingsStore from "../../../src/layers/memory/fakes/SettingsStore.ts"
import { makeAskLimits } from "../../../src/programs/limits/AskLimits.ts"
import { makeUpkeep } from "../../../src/programs/limits/makeUpkeep.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { LimitReader } from "../../../src/services/LimitReader.ts"
import { Limits } from "../../../src/services/Limits.ts"
import { Queue } from "../../../src/services/Queue.ts"
import * as Settings from "../../../src/services/SettingsStore.ts"
import { testSql } from "../../support/stores.ts"
import { claimNext, claimOptions, completed, submit } from "../../support/tasks.ts"

const codex = { key: AccountKey.make("openai/login/8w1p5c0xnd"), agent: "codex" }
const byKey = { key: AccountKey.make("openai/key/7qk3h2r9ze"), agent: "codex" }
const hour = 3_600_000

const seen = (used: number, resetsAt: number): Seen => ({
  _tag: "Seen",
  window: "five_hour",
  family: "",
  used,
  closed: used >= 1,
  resetsAt
})

/** Answers with `answer`, and counts how often it was asked. */
const reading = (state: { answer: ReadonlyArray<Seen>; asked: number }) =>
  Layer.mergeAll(
    testSql,
    SettingsStore.layer({}),
    // No task has a fallback.
    Layer.mock(Agents, {}),
    Layer.mock(LimitReader, {
      agents: ["codex"],
      read: () =>
        Effect.sync(() => {
          state.asked += 1
          return Option.some(state.answer)
        })
    })
  )

const settings = Effect.flatMap(Settings.SettingsStore, ({ get }) => get)
const now = Effect.clockWith((clock) => clock.currentTimeMillis)
const account = Effect.flatMap(Limits, (limits) => limits.list).pipe(
  Effect.map((all) => all.find(({ account: key }) => key === codex.key))
)

describe("an account that can be asked", () => {
  it.effect("is asked every two minutes while a task of it runs or waits, and closes and opens by the answer", () => {
    const state: { answer: ReadonlyArray<Seen>; asked: number } = { answer: [], asked: 0 }
    return Effect.gen(function* () {
      yield* TestClock.setTime(24 * hour)
      const ask = makeAskLimits()
      yield* submit({ agent: "codex", account: byKey })
      yield* claimNext()
      yield* ask()
      assert.strictEqual(state.asked, 0, "a key has no windows")

      yield* submit({ agent: "codex", account: codex })
      yield* claimNext()
      const resetsAt = (yield* now) + 3 * hour
      state.answer = [seen(1, resetsAt)]
      yield* ask()
      yield* ask()
      assert.strictEqual(state.asked, 1)
      assert.strictEqual((yield* account)?.opensAt, resetsAt + 5000)

      state.answer = [seen(0.1, resetsAt)]
      yield* TestClock.adjust("2 minutes")
      yield* ask()
      assert.deepStrictEqual([state.asked, (yield* account)?.opensAt], [2, null])
    }).pipe(Effect.provide(reading(state)))
  })

  it.effect("starts nothing at a reset that its service has put off: no request asks whether the limit is over", () => {
    const state: { answer: ReadonlyArray<Seen>; asked: number } = { answer: [], asked: 0 }
    return Effect.gen(function* () {
      yield* TestClock.setTime(24 * hour)
      const ask = makeAskLimits()
      const queue = yield* Queue
      yield* submit({ agent: "codex", account: codex })
      const { claim, task } = yield* claimNext()
      yield* submit({ agent: "codex", account: codex })
      const first = (yield* now) + hour
      state.answer = [seen(1, first)]
      yield* ask()
      yield* queue.finish(task.id, completed, claim)
      yield* TestClock.adjust("59 minutes")
      state.answer = [seen(1, first + hour)]
      yield* ask()
      yield* TestClock.adjust("30 minutes")
      assert.isTrue(Option.isNone(yield* queue.claim(claimOptions({ maxConcurrency: 100 }))))
      yield* TestClock.adjust("32 minutes")
      assert.isTrue(Option.isSome(yield* queue.claim(claimOptions({ maxConcurrency: 100 }))))
    }).pipe(Effect.provide(reading(state)))
  })

  it.effect("is asked for spare tasks too, whose room is worked out again when it is gone", () => {
    const state: { answer: ReadonlyArray<Seen>; asked: number } = { answer: [], asked: 0 }
    return Effect.gen(function* () {
      yield* TestClock.setTime(24 * hour)
      const upkeep = makeUpkeep()
      yield* (yield* Limits).observe(codex.key, [])
      yield* submit({ agent: "codex", account: codex })
      yield* claimNext()
      state.answer = [seen(0.5, (yield* now) + 3 * hour)]
      yield* upkeep(yield* settings)
      const task = yield* submit({ agent: "codex", account: codex, spare: true })
      // The window ends and another one begins: what the service says counts, not the guess.
      yield* TestClock.adjust("4 hours")
      state.answer = [seen(0.2, (yield* now) + hour / 2)]
      yield* upkeep(yield* settings)
      const claimed = yield* (yield* Queue).claim(claimOptions({ maxConcurrency: 100 }))
      assert.deepStrictEqual(
        Option.map(claimed, (one) => one.task.id),
        Option.some(task.id)
      )
    }).pipe(Effect.provide(reading(state)))
  })
})
