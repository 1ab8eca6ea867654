/** What a worker does for hooks: when it sends, how much at a time, for how long it stays, and what it takes over. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { Outcome } from "../../../src/domain/hooks/Delivery.ts"
import { type HookSettings, hooksOf } from "../../../src/domain/hooks/Hook.ts"
import { WorkerId } from "../../../src/domain/worker/Worker.ts"
import { callReaderOf } from "../../../src/layers/agents/signals/callReaderOf.ts"
import { makeDeliverer } from "../../../src/programs/hooks/Deliverer.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { Deliveries } from "../../../src/services/Deliveries.ts"
import { HookSender, type Parcel } from "../../../src/services/HookSender.ts"
import { LocalZone } from "../../../src/services/LocalZone.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { bytesOf } from "../../support/output.ts"
import { spansIn } from "../../support/spans.ts"
import { testSql } from "../../support/stores.ts"
import { completed, submit, submitAndClaim } from "../../support/tasks.ts"

const anna = WorkerId.make("anna000000000000")
const ben = WorkerId.make("ben0000000000000")

type Send = (hook: string, parcel: Parcel) => Effect.Effect<Outcome>

const accepted: Outcome = { _tag: "Accepted", detail: "200" }

/** Targets that answer as told; what they got, in order. */
const targets = (send: Send = () => Effect.succeed(accepted)) => {
  const got: Array<{ readonly hook: string; readonly id: string; readonly body: string }> = []
  const layer = Layer.succeed(HookSender, {
    send: ({ name }, parcel) =>
      Effect.suspend(() => {
        got.push({ hook: name, id: parcel.id, body: parcel.body })
        return send(name, parcel)
      })
  })
  return { got, layer }
}

const hooks = (all: Readonly<Record<string, Partial<HookSettings>>>) => ({
  hooks: Object.fromEntries(
    Object.entries(all).map(([name, hook]) => [name, { desktop: true as const, on: ["queued"] as const, ...hook }])
  )
})

const test = (
  name: string,
  { layer }: ReturnType<typeof targets>,
  effect: Effect.Effect<unknown, unknown, Layer.Layer.Success<typeof testSql> | HookSender | Agents | Scope.Scope>
) =>
  it.scoped(name, () => {
    const zone = Layer.succeed(LocalZone, { timezone: Effect.succeed("UTC"), withoutVariable: Effect.succeed(null) })
    const agents = Layer.mock(Agents, { calls: (agent) => Effect.succeed(callReaderOf(agent)) })
    return Effect.provide(effect, Layer.mergeAll(testSql, layer, zone, agents))
  })

/** Tries that were started end, where nothing holds them. */
const settled = Effect.yieldNow().pipe(Effect.repeatN(200))

const states = Effect.gen(function* () {
  yield* settled
  const found = yield* (yield* Deliveries).list({ hook: null, states: [], limit: 100 })
  return found.map(({ hook, state }) => `${hook} ${state}`).reverse()
})

describe("a worker", () => {
  const quiet = targets()
  test(
    "holds messages in quiet hours, and sends them at their end",
    quiet,
    Effect.gen(function* () {
      const settings = hooks({ phone: { quiet: "22:00-07:00" }, desk: {} })
      const deliverer = yield* makeDeliverer(anna, Effect.void)
      yield* TestClock.setTime(Date.UTC(2027, 2, 1, 23, 30))
      yield* deliverer.look(settings)
      yield* submit()
      yield* deliverer.look(settings)
      assert.deepStrictEqual(yield* states, ["phone due", "desk done"])
      yield* deliverer.look(settings)
      const held = yield* deliverer.state
      assert.deepStrictEqual([held.nextAt, held.waits], [Date.UTC(2027, 2, 2, 7, 0), false])
      yield* TestClock.setTime(Date.UTC(2027, 2, 2, 7, 0))
      yield* deliverer.look(settings)
      assert.deepStrictEqual(yield* states, ["phone done", "desk done"])
      assert.deepStrictEqual(
        quiet.got.map(({ hook }) => hook),
        ["desk", "phone"]
      )
    })
  )

  const hanging = Deferred.unsafeMake<Outcome>(Effect.runSync(Effect.fiberId))
  const slow = targets((hook) => (hook === "slow" ? Deferred.await(hanging) : Effect.succeed(accepted)))
  test(
    "sends one message to a hook at a time, and a hook that hangs holds no other back",
    slow,
    Effect.gen(function* () {
      const settings = hooks({ slow: {}, fast: {} })
      const deliverer = yield* makeDeliverer(anna, Effect.void)
      yield* deliverer.look(settings)
      yield* submit()
      yield* submit()
      for (let n = 0; n < 4; n++) {
        yield* deliverer.look(settings)
        yield* settled
      }
      assert.deepStrictEqual(yield* states, ["slow sending", "slow due", "fast done", "fast done"])
      assert.isTrue((yield* deliverer.state).trying)
      yield* Deferred.succeed(hanging, accepted)
      yield* settled
      yield* deliverer.look(settings)
      assert.deepStrictEqual(yield* states, ["slow done", "slow done", "fast done", "fast done"])
      assert.lengthOf(slow.got, 4)
    })
  )

  const failing = targets(() => Effect.succeed({ _tag: "Failed", detail: "503", pauseMs: null, tries: null }))
  test(
    "stays for an attempt that is near, and not for one that is far",
    failing,
    Effect.gen(function* () {
      const deliverer = yield* makeDeliverer(anna, Effect.void)
      for (const [retryMs, waits] of [
        [5000, true],
        [3_600_000, false]
      ] as const) {
        const settings = hooks({ one: { retryMs } })
        yield* deliverer.look(settings)
        yield* submit()
        yield* deliverer.look(settings)
        yield* settled
        yield* deliverer.look(settings)
        assert.strictEqual((yield* deliverer.state).waits, waits, `${retryMs}`)
        yield* (yield* Deliveries).forget("one")
      }
    })
  )

  const off = targets()
  test(
    "holds what was on its way to a hook that is off, and tells it of nothing new",
    off,
    Effect.gen(function* () {
      const deliverer = yield* makeDeliverer(anna, Effect.void)
      const summing = (enabled: boolean) => hooks({ one: { sumMs: 1000, enabled } })
      yield* deliverer.look(summing(true))
      yield* submit()
      yield* deliverer.look(summing(true))
      yield* submit()
      yield* TestClock.adjust("1 minute")
      yield* deliverer.look(summing(false))
      assert.deepStrictEqual(yield* states, ["one due"])
      assert.isFalse((yield* deliverer.state).waits)
      yield* deliverer.look(summing(true))
      assert.deepStrictEqual(yield* states, ["one done"])
    })
  )

  const never = targets(() => Effect.never)
  test(
    "that is told to go gives back what it tries, under the same id",
    never,
    Effect.gen(function* () {
      const settings = hooks({ one: {} })
      const scope = yield* Scope.make()
      const deliverer = yield* Scope.extend(makeDeliverer(anna, Effect.void), scope)
      yield* deliverer.look(settings)
      yield* submit()
      yield* deliverer.look(settings)
      assert.deepStrictEqual(yield* states, ["one sending"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* states, ["one due"])
      const next = yield* makeDeliverer(ben, Effect.void)
      yield* next.look(settings)
      yield* settled
      assert.lengthOf(never.got, 2)
      assert.strictEqual(never.got[0]?.id, never.got[1]?.id)
    })
  )

  const taken = targets()
  test(
    "takes over what a dead worker was trying, and nothing of a living one",
    taken,
    Effect.gen(function* () {
      const settings = hooks({ one: {} })
      const deliveries = yield* Deliveries
      const deliverer = yield* makeDeliverer(anna, Effect.void)
      yield* deliverer.look(settings)
      yield* submit()
      yield* deliveries.decide(hooksOf(settings.hooks))
      yield* deliveries.claim(hooksOf(settings.hooks), ben)
      yield* deliverer.adopt(new Set([anna, ben]))
      yield* deliverer.look(settings)
      assert.deepStrictEqual(yield* states, ["one sending"])
      yield* deliverer.adopt(new Set([anna]))
      yield* deliverer.look(settings)
      assert.deepStrictEqual(yield* states, ["one done"])
    })
  )

  const forgotten = targets()
  test(
    "forgets a hook that the settings did not have at two looks, and none before it has read them",
    forgotten,
    Effect.gen(function* () {
      const deliveries = yield* Deliveries
      const settings = hooks({ one: {} })
      yield* deliveries.decide(hooksOf(settings.hooks))
      const deliverer = yield* makeDeliverer(anna, Effect.void)
      const alone = new Set([anna])
      yield* deliverer.adopt(alone)
      yield* deliverer.adopt(alone)
      yield* deliverer.look(settings)
      yield* deliverer.adopt(alone)
      assert.deepStrictEqual(yield* deliveries.known, ["one"])
      yield* deliverer.look(hooks({}))
      yield* deliverer.adopt(alone)
      yield* deliverer.look(settings)
      yield* deliverer.adopt(alone)
      assert.deepStrictEqual(yield* deliveries.known, ["one"])
      yield* deliverer.look(hooks({}))
      yield* deliverer.adopt(alone)
      yield* deliverer.adopt(alone)
      assert.deepStrictEqual(yield* deliveries.known, [])
    })
  )

  const dies = Deferred.unsafeMake<Outcome>(Effect.runSync(Effect.fiberId))
  const collector = targets((_, { id: _id }) =>
    collector.got.length === 1
      ? Deferred.await(dies)
      : Effect.succeed(
          collector.got.length === 2 ? { _tag: "Failed", detail: "503", pauseMs: null, tries: null } : accepted
        )
  )
  test(
    "exports the calls of tools that the stored output has, and the same bytes again after its end and after a failure",
    collector,
    Effect.gen(function* () {
      const traces = hooks({ traces: { otlp: "http://127.0.0.1:4318", desktop: undefined, on: ["ended"] } })
      const deliveries = yield* Deliveries
      const queue = yield* Queue
      const output = yield* OutputStore
      yield* deliveries.decide(hooksOf(traces.hooks))
      const { claim, task } = yield* submitAndClaim({ agent: "pi" })
      const print = (offset: number, text: string) =>
        output.append({ taskId: task.id, stream: "stdout", offset, bytes: bytesOf(text) }, { cap: 10_000 })
      const begins = `${JSON.stringify({ type: "tool_execution_start", toolCallId: "c1", toolName: "bash", args: { command: "cat secret" } })}\n`
      const ends = JSON.stringify({ type: "tool_execution_end", toolCallId: "c1", isError: true, result: "secret" })
      yield* TestClock.adjust("1 second")
      // A line in two chunks, and one without a newline.
      yield* print(0, begins.slice(0, 40))
      yield* print(40, begins.slice(40))
      yield* TestClock.adjust("2 seconds")
      yield* print(begins.length, ends)
      yield* TestClock.adjust("1 second")
      yield* queue.finish(task.id, completed, claim)

      const first = yield* Scope.make()
      const dying = yield* makeDeliverer(anna, Effect.void).pipe(Scope.extend(first))
      yield* dying.look(traces)
      yield* settled
      yield* Scope.close(first, Exit.void)
      // As a prune does, while the collector is away.
      yield* (yield* SqlClient.SqlClient)`DELETE FROM task_output`
      const next = yield* makeDeliverer(ben, Effect.void)
      yield* next.look(traces)
      yield* settled
      yield* TestClock.adjust("1 minute")
      yield* next.look(traces)
      assert.deepStrictEqual(yield* states, ["traces done"])

      const bodies = collector.got.map(({ body }) => body)
      assert.lengthOf(bodies, 3)
      assert.strictEqual(new Set(bodies).size, 1)
      const [body = ""] = bodies
      assert.notInclude(body, "secret")
      const spans = spansIn(body)
      const run = spans.find(({ name }) => name === "run")
      const call = spans.find(({ name }) => name === "execute_tool bash")
      assert.deepStrictEqual(
        [call?.parentSpanId, call?.traceId, call?.status.code, call?.startTimeUnixNano, call?.endTimeUnixNano],
        [run?.spanId, run?.traceId, 2, 1_000_000_000n, 3_000_000_000n]
      )
    })
  )
})
