/** Hooks that export traces: what is stored for them is made of the record, once, and the same over all attempts. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { type HookSettings, hookOf } from "../../../../src/domain/hooks/Hook.ts"
import { type Merge, MergeId } from "../../../../src/domain/merge/Merge.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import { spanIdOf, traceIdOf } from "../../../../src/domain/traces/TraceContext.ts"
import { WorkerId } from "../../../../src/domain/worker/Worker.ts"
import { Deliveries } from "../../../../src/services/Deliveries.ts"
import { Loops } from "../../../../src/services/Loops.ts"
import { Merges } from "../../../../src/services/Merges.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { loopRules } from "../../../support/loopRules.ts"
import { createLoop, endRound } from "../../../support/loops.ts"
import { create } from "../../../support/pipelines.ts"
import { attributesOf, lengthOf, type Span, spansIn } from "../../../support/spans.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, completed, failed, newTask, parked, submit, submitAndClaim } from "../../../support/tasks.ts"
import { withWall } from "../../../support/wall.ts"

const anna = WorkerId.make("anna000000000000")

const traces = (settings: Partial<HookSettings> = {}) =>
  hookOf("traces", { otlp: "http://127.0.0.1:4318", ...settings })

const outside = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

const parking = parked({ budget: true })

const newMerge = (taskId: TaskId): Merge => ({
  id: MergeId.make("g5t7w2d9m4xk"),
  taskId,
  home: "/home/ann/shop",
  branch: "main",
  tree: null,
  before: "a".repeat(40),
  merged: null,
  state: "testing",
  checkTask: null,
  conflicts: [],
  url: null,
  reason: null,
  owner: { pid: 4242, startTime: "17", bootId: "boot-1" },
  createdAt: 0,
  changedAt: 0
})

/** What is sent of all that has ended since the last call. */
const sent = (hook = traces()) =>
  Effect.gen(function* () {
    const deliveries = yield* Deliveries
    yield* deliveries.decide([hook])
    const spans: Array<Span> = []
    while (true) {
      const taken = yield* deliveries.claim([hook], anna)
      if (Option.isNone(taken)) return spans
      spans.push(...spansIn(taken.value.body))
      yield* deliveries.settle(taken.value, anna, { state: "done", last: "200" })
    }
  })

const named = (spans: ReadonlyArray<Span>, name: string) => spans.filter((span) => span.name === name)

type Services = Layer.Layer.Success<typeof testSql>

const test = (name: string, effect: Effect.Effect<unknown, unknown, Services>) =>
  it.effect(name, () => Effect.provide(Effect.zipRight(sent(), effect), testSql))

describe("a hook with otlp", () => {
  test(
    "gets one trace for each task, and nothing for what has not ended",
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* submit({ prompt: "still queued", priority: "P2" })
      for (let n = 0; n < 20; n += 1) {
        yield* submit({ priority: "P0", prompt: "secret words", directory: "/secret/place", labels: { n: String(n) } })
        const { claim, task } = yield* claimNext()
        yield* queue.finish(task.id, n % 2 === 0 ? completed : failed, claim)
      }
      const spans = yield* sent()
      assert.lengthOf(spans, 60)
      assert.strictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 20)
      assert.strictEqual(new Set(spans.map(({ spanId }) => spanId)).size, 60)
      assert.notInclude(JSON.stringify(spans.map(attributesOf)), "secret")
      assert.lengthOf(
        spans.filter(({ status }) => status.code === 2),
        10
      )
      assert.deepStrictEqual(yield* sent(), [])
    })
  )

  test(
    "gets delegated tasks and later attempts in the trace of the first, below the task that delegated them",
    Effect.gen(function* () {
      const queue = yield* Queue
      const lead = yield* submitAndClaim({ traceparent: outside })
      const below = yield* submitAndClaim({ parentId: lead.task.id, depth: 1 })
      assert.strictEqual(below.traceparent.slice(0, 36), outside.slice(0, 36))
      const retry = newTask({ parentId: lead.task.id, retryOf: below.task.id, continuation: "retry" })
      yield* queue.finish(below.task.id, failed, below.claim, retry)
      const again = yield* claimNext()
      yield* queue.finish(again.task.id, completed, again.claim)
      yield* queue.finish(lead.task.id, completed, lead.claim)
      const tasks = named(yield* sent(), "task shell")
      const leads = spanIdOf("task", lead.task.id)
      assert.deepStrictEqual(
        tasks.map(({ parentSpanId, spanId, traceId }) => [traceId, spanId, parentSpanId]),
        [
          ["4bf92f3577b34da6a3ce929d0e0e4736", spanIdOf("task", below.task.id), leads],
          ["4bf92f3577b34da6a3ce929d0e0e4736", spanIdOf("task", again.task.id), leads],
          ["4bf92f3577b34da6a3ce929d0e0e4736", leads, "00f067aa0ba902b7"]
        ]
      )
      assert.deepStrictEqual(
        tasks[1]?.links.map(({ spanId }) => spanId),
        [spanIdOf("task", below.task.id)]
      )
    })
  )

  test(
    "gets the span of a pipeline around its steps",
    Effect.gen(function* () {
      const queue = yield* Queue
      const { id } = yield* create([{ task: { traceparent: outside } }, { task: { traceparent: outside } }])
      for (const _ of [1, 2]) {
        const { claim, task } = yield* claimNext()
        yield* TestClock.adjust("1 second")
        yield* queue.finish(task.id, completed, claim)
      }
      const spans = yield* sent()
      const [pipeline = assert.fail()] = named(spans, "pipeline")
      assert.deepStrictEqual(
        [pipeline.spanId, pipeline.parentSpanId, lengthOf(pipeline), pipeline.status.code],
        [spanIdOf("pipeline", id), "00f067aa0ba902b7", 2000, 1]
      )
      const steps = named(spans, "task shell")
      assert.deepStrictEqual(
        steps.map(({ parentSpanId }) => parentSpanId),
        [pipeline.spanId, pipeline.spanId]
      )
      assert.deepStrictEqual(
        steps[1]?.links.map(({ spanId }) => spanId),
        [steps[0]?.spanId]
      )
    })
  )

  test(
    "gets the span of a loop around its rounds",
    Effect.gen(function* () {
      const loop = yield* createLoop(loopRules())
      yield* endRound({ evaluations: [[completed, "ok"]] })
      assert.strictEqual((yield* (yield* Loops).get(loop.id)).status, "passed")
      const spans = yield* sent()
      const [own = assert.fail()] = named(spans, "loop")
      const spanId = spanIdOf("loop", loop.id)
      assert.deepStrictEqual([own.spanId, own.traceId, own.parentSpanId], [spanId, traceIdOf(spanId), undefined])
      const tasks = spans.filter(({ name }) => name.startsWith("task "))
      assert.isAbove(tasks.length, 1)
      for (const task of tasks) assert.deepStrictEqual([task.traceId, task.parentSpanId], [own.traceId, spanId])
    })
  )

  test(
    "gets the span of a merge below its task, and of what undoes it",
    Effect.gen(function* () {
      const queue = yield* Queue
      const merges = yield* Merges
      const { claim, task } = yield* submitAndClaim({ traceparent: outside })
      yield* queue.finish(task.id, completed, claim)
      yield* sent()
      const merge = newMerge(task.id)
      yield* merges.begin(merge)
      yield* TestClock.adjust("3 seconds")
      yield* merges.change(merge, { state: "applying" })
      yield* merges.change({ ...merge, state: "applying" }, { state: "merged" })
      yield* TestClock.adjust("1 second")
      yield* merges.change({ ...merge, state: "merged" }, { state: "undone" })
      assert.deepStrictEqual(
        (yield* sent()).map((span) => [span.name, span.traceId, span.parentSpanId, lengthOf(span)]),
        [
          ["merge", outside.slice(3, 35), spanIdOf("task", task.id), 3000],
          ["merge undone", outside.slice(3, 35), spanIdOf("task", task.id), 0]
        ]
      )
    })
  )

  it.effect("gets durations that are not negative where the clock is set back, and waits that say why", () =>
    withWall((set) =>
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* TestClock.setTime(24 * 3_600_000)
        yield* sent()
        const first = yield* submitAndClaim()
        yield* set(-7_200_000)
        yield* TestClock.adjust("1 second")
        yield* queue.park(first.claim, parking)
        yield* TestClock.adjust("1 second")
        const second = yield* claimNext()
        yield* queue.requeue(second.claim)
        const third = yield* claimNext()
        yield* TestClock.adjust("1 second")
        yield* queue.finish(third.task.id, completed, third.claim)
        const [own = assert.fail(), ...parts] = yield* sent()
        for (const span of [own, ...parts]) assert.isAtLeast(lengthOf(span), 0)
        assert.deepStrictEqual(
          parts.map((span) => [span.name, attributesOf(span)["backbeat.wait.reason"]]),
          [
            ["queued", undefined],
            ["run", undefined],
            ["parked", "budget"],
            ["run", undefined]
          ]
        )
      }).pipe(Effect.provide(testSql))
    )
  )

  test(
    "gets what a filter selects, nothing of a trace that is not kept, and all of a time in one request",
    Effect.gen(function* () {
      const queue = yield* Queue
      const summed = traces({ on: ["failed"], sumMs: 1000 })
      yield* sent(summed)
      for (const [outcome, more] of [
        [failed, {}],
        [completed, {}],
        [failed, { traceparent: outside.replace(/01$/, "00") }],
        [failed, {}]
      ] as const) {
        const { claim, task } = yield* submitAndClaim(more)
        yield* queue.finish(task.id, outcome, claim)
      }
      const deliveries = yield* Deliveries
      yield* deliveries.decide([summed])
      yield* TestClock.adjust("1 second")
      const one = Option.getOrThrow(yield* deliveries.claim([summed], anna))
      assert.lengthOf(named(spansIn(one.body), "task shell"), 2)
      assert.isTrue(Option.isNone(yield* deliveries.claim([summed], anna)))
    })
  )

  test(
    "gets the same bytes again on demand, also those of an end from before it was added, and no notice without spans",
    Effect.gen(function* () {
      const queue = yield* Queue
      const deliveries = yield* Deliveries
      const { claim, task } = yield* submitAndClaim()
      yield* queue.finish(task.id, completed, claim)
      const late = hookOf("late", { otlp: "http://127.0.0.1:4318" })
      const again = Effect.gen(function* () {
        yield* deliveries.redeliver(late, 3)
        const sending = Option.getOrThrow(yield* deliveries.claim([late], anna))
        yield* deliveries.settle(sending, anna, { state: "done", last: "200" })
        return [sending.id, sending.body]
      })
      const first = yield* again
      assert.deepStrictEqual(yield* again, first)
      assert.isTrue(Option.isNone(yield* deliveries.redeliver(late, 1)))
    })
  )

  test(
    "costs looks at indexes alone",
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const { claim, task } = yield* submitAndClaim()
      yield* queue.finish(task.id, completed, claim)
      yield* create([{}])
      const step = yield* claimNext()
      yield* queue.finish(step.task.id, completed, step.claim)
      const seen: Array<readonly [string, ReadonlyArray<unknown>]> = []
      yield* Statement.withTransformer((yield* Deliveries).decide([traces()]), (statement) =>
        Effect.sync(() => {
          seen.push(statement.compile())
          return statement
        })
      )
      const facts = seen.filter(([text]) => text.includes("AS facts"))
      assert.lengthOf(facts, 3)
      for (const [text, parameters] of facts) {
        const plan = yield* sql.unsafe<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`, parameters)
        for (const { detail } of plan) assert.notMatch(detail, /^SCAN (tasks|own|above|claim|questions|wakes)\b/, text)
      }
    })
  )
})
