/** What the record of a session adds to the output of its agent: windows while it runs, and its use when it has ended. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import type { LimitSignal, Seen } from "../../../src/domain/limits/Signal.ts"
import type { Verdict } from "../../../src/domain/task/Agent.ts"
import { signalReaderOf } from "../../../src/layers/agents/signals/AgentSignals.ts"
import * as Prices from "../../../src/layers/usage/Prices.ts"
import { limitWatch, readSignals } from "../../../src/programs/limits/LimitWatch.ts"
import { recordPlaceOf, withRecord } from "../../../src/programs/limits/SessionRecord.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { Limits } from "../../../src/services/Limits.ts"
import { type RecordRequest, type SessionRecord, SessionRecords } from "../../../src/services/SessionRecords.ts"
import { testSql } from "../../support/stores.ts"
import { submitAndClaim } from "../../support/tasks.ts"

const account = { key: AccountKey.make("openai/login/8w1p5c0xnd"), agent: "codex" }
const hour = 3_600_000
const now = 24 * hour
const thread = "019ad0c2-49c2-7233-9266-8c587ac6355b"

const settings = { overage: "wait", headroomPercent: 3, prices: {} } as const

const seen = (used: number, resetsAt: number | null = now + 3 * hour): Seen => ({
  _tag: "Seen",
  window: "five_hour",
  family: "",
  used,
  closed: used >= 1,
  resetsAt
})

interface Told {
  record: SessionRecord | null
  readonly asked: Array<RecordRequest>
}

const told = (record: SessionRecord | null): Told => ({ record, asked: [] })

const usage = {
  usage: {
    inputTokens: 13_518,
    outputTokens: 16,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: null,
    cumulative: true
  }
}

const layer = (state: Told) =>
  Layer.mergeAll(
    testSql,
    Prices.layer,
    Layer.mock(Agents, { signals: (agent) => Effect.succeed(signalReaderOf(agent)) }),
    Layer.succeed(SessionRecords, {
      agents: ["codex"],
      read: (request) =>
        Effect.sync(() => {
          state.asked.push(request)
          return Option.fromNullable(state.record)
        })
    })
  )

const started = `{"type":"thread.started","thread_id":"${thread}"}`
const answered = `{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"hi"}}`

/** A codex that is claimed, and a reader of what it prints. */
const running = Effect.gen(function* () {
  yield* TestClock.setTime(now)
  const claimed = yield* submitAndClaim({ agent: "codex", account, environment: { CODEX_HOME: "/codex" } })
  const watch = limitWatch(yield* recordPlaceOf(claimed, claimed))
  const print = (...lines: ReadonlyArray<string>) =>
    Effect.map(
      readSignals(claimed, settings, watch, "stdout", new TextEncoder().encode(`${lines.join("\n")}\n`)),
      ({ signals }): ReadonlyArray<LimitSignal> => signals
    )
  return { claimed, print, watch }
})

const refused: Verdict = {
  status: "failed",
  cause: "agent-error",
  error: "You have hit your usage limit.",
  failureClass: "usage-limit",
  failureResetAt: now + hour,
  sessionId: thread,
  answer: null,
  usage: null
}

describe("the record of a codex that runs", () => {
  it.effect("is read after an answer, by the id that it printed, and now and then only", () => {
    const state = told({ windows: [seen(0.5)], usage: null, bytes: 100 })
    return Effect.gen(function* () {
      const { claimed, print } = yield* running
      assert.deepStrictEqual(yield* print(started), [])
      assert.lengthOf(state.asked, 0)
      assert.deepStrictEqual(yield* print(answered), [{ _tag: "Served" }, seen(0.5)])
      const request = { agent: "codex", sessionId: thread, environment: { CODEX_HOME: "/codex" }, directory: "/tmp" }
      assert.deepStrictEqual(state.asked, [{ ...request, since: claimed.claim.claimedAt, seenBytes: 0 }])
      assert.deepStrictEqual(yield* print(answered), [{ _tag: "Served" }])
      yield* TestClock.adjust("3 seconds")
      state.record = null
      assert.deepStrictEqual(yield* print(answered), [{ _tag: "Served" }])
      assert.deepStrictEqual(
        state.asked.map(({ seenBytes }) => seenBytes),
        [0, 100]
      )
    }).pipe(Effect.provide(layer(state)))
  })

  it.effect("closes a window that is nearly full before a request is refused", () =>
    Effect.gen(function* () {
      const { print } = yield* running
      assert.deepStrictEqual(yield* print(started, answered), [{ _tag: "Served" }, { ...seen(0.98), closed: true }])
    }).pipe(Effect.provide(layer(told({ windows: [seen(0.98)], usage: null, bytes: 1 }))))
  )

  it.effect("is not looked for where its session is not known, or the agent keeps none", () => {
    const state = told({ windows: [seen(0.5)], usage: null, bytes: 100 })
    return Effect.gen(function* () {
      const { print } = yield* running
      assert.deepStrictEqual(yield* print(answered), [{ _tag: "Served" }])
      const other = yield* submitAndClaim({ agent: "claude" })
      assert.isNull(yield* recordPlaceOf(other, other))
      assert.lengthOf(state.asked, 0)
    }).pipe(Effect.provide(layer(state)))
  })
})

describe("the record of a codex that has ended", () => {
  it.effect("has the second at which its limit ends, its use, and closes its account", () => {
    const resetsAt = now + 2 * hour + 46_000
    return Effect.gen(function* () {
      const { claimed } = yield* running
      const verdict = yield* withRecord(claimed, refused, settings)
      assert.deepInclude(verdict, { failureResetAt: resetsAt, usage: usage.usage, status: "failed" })
      const [found] = yield* (yield* Limits).list
      assert.deepStrictEqual([found?.opensAt, found?.window], [resetsAt + 5000, "five_hour"])
    }).pipe(Effect.provide(layer(told({ windows: [seen(1, resetsAt)], ...usage, bytes: 1 }))))
  })

  it.effect("does not count against what the agent printed, and changes nothing where there is none", () => {
    const printed = { ...usage.usage, inputTokens: 1 }
    const state = told({ windows: [seen(0.2)], ...usage, bytes: 1 })
    return Effect.gen(function* () {
      const { claimed } = yield* running
      const completed = { ...refused, status: "completed", failureClass: null, failureResetAt: null } as const
      const found = yield* withRecord(claimed, { ...completed, usage: printed }, settings)
      assert.deepInclude(found, { usage: printed, failureResetAt: null })
      // A refusal beats a meter that shows room.
      assert.strictEqual((yield* withRecord(claimed, refused, settings)).failureResetAt, now + hour)
      state.record = null
      assert.deepStrictEqual(yield* withRecord(claimed, refused, settings), refused)
      const none = yield* withRecord(claimed, { ...refused, sessionId: null }, settings)
      assert.isNull(none.usage)
    }).pipe(Effect.provide(layer(state)))
  })
})
