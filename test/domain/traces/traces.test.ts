/** Which trace work belongs to, and the spans that are made of its record. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { collectCalls, mostCalls, type ToolCall } from "../../../src/domain/traces/ToolCall.ts"
import {
  contextOf,
  readTraceparent,
  spanIdOf,
  traceIdOf,
  traceparentWithin
} from "../../../src/domain/traces/TraceContext.ts"
import type { ClaimFacts, TaskFacts } from "../../../src/domain/traces/TraceFacts.ts"
import { traceBody } from "../../../src/domain/traces/traceBody.ts"
import { tasksWithoutCalls, withCalls } from "../../../src/domain/traces/withCalls.ts"
import { attributesOf, lengthOf, spansIn } from "../../support/spans.ts"

const outside = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

const id = "k3v9x2m7q4ab"

const task = { id, rootId: null, pipelineId: null, traceparent: null }

const facts = (more: Partial<TaskFacts> = {}): TaskFacts => ({
  ...task,
  agent: "claude",
  model: null,
  status: "completed",
  cause: "exit",
  exitCode: 0,
  signal: null,
  failureClass: null,
  attempt: 1,
  parentId: null,
  group: null,
  createdAt: 1000,
  endedAt: 9000,
  labels: "{}",
  usage: null,
  claims: [],
  events: [],
  links: [],
  ...more
})

const claim = (id: string, more: Partial<ClaimFacts> = {}): ClaimFacts => ({
  id,
  at: 2000,
  releasedAt: null,
  released: null,
  window: null,
  resetsAt: null,
  wakes: 0,
  ...more
})

const notice = {
  seq: 1,
  kind: "ended",
  at: 9000,
  taskId: null,
  pipelineId: null,
  subject: null,
  data: {},
  agent: null,
  title: null,
  labels: null
} as const

const spans = (more: Partial<TaskFacts> = {}) =>
  spansIn(traceBody(notice, JSON.stringify(facts(more))) ?? assert.fail("no document"))

describe("the context of a task", () => {
  it("is read from TRACEPARENT as the specification says", () => {
    for (const [text, expected] of [
      [outside, outside],
      [outside.replace(/01$/, "00"), outside.replace(/01$/, "00")],
      // A later version may have more parts.
      [outside.replace(/^00/, "cc"), outside],
      [`${outside.replace(/^00/, "cc")}-what`, outside],
      [`${outside}-what`, null],
      [outside.replace(/^00/, "ff"), null],
      [outside.toUpperCase(), null],
      [outside.replace("00f067aa0ba902b7", "0".repeat(16)), null],
      [outside.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0".repeat(32)), null],
      [outside.slice(0, -1), null],
      ["", null],
      [undefined, null]
    ] as const) {
      assert.strictEqual(readTraceparent(text), expected, text)
    }
  })

  it("is a trace that begins with it, the trace of its pipeline, or that of its submitter", () => {
    const own = spanIdOf("task", id)
    assert.deepStrictEqual(contextOf(task), { traceId: traceIdOf(own), parentId: null, flags: "01" })
    const retry = { ...task, id: "m7q4abk3v9x2", rootId: id }
    assert.deepStrictEqual(contextOf(retry), contextOf(task))
    const pipeline = spanIdOf("pipeline", "7w2d9m4xkq5t")
    const step = { ...task, pipelineId: "7w2d9m4xkq5t" }
    assert.deepStrictEqual(contextOf(step), { traceId: traceIdOf(pipeline), parentId: pipeline, flags: "01" })
    const [, traceId = "", parentId = ""] = outside.split("-")
    assert.deepStrictEqual(contextOf({ ...task, traceparent: outside }), { traceId, parentId, flags: "01" })
    assert.deepStrictEqual(contextOf({ ...step, traceparent: outside }), { traceId, parentId: pipeline, flags: "01" })
    assert.strictEqual(traceparentWithin({ ...task, traceparent: outside }), `00-${traceId}-${own}-01`)
  })

  it("gives other ids to other things", () => {
    const text = FastCheck.stringMatching(/^[0-9a-hjkmnp-tv-z]{12}$/)
    FastCheck.assert(
      FastCheck.property(text, text, (one, other) => {
        assert.match(spanIdOf("task", one), /^1[0-9a-f]{15}$/)
        assert.strictEqual(spanIdOf("task", one) === spanIdOf("task", other), one === other)
        assert.notStrictEqual(spanIdOf("task", one), spanIdOf("run", one))
      })
    )
  })
})

describe("the spans of a task", () => {
  it("are its whole time, and in it the waits and runs one after the other", () => {
    const claims = [
      claim("aaaaaaaaaaaaaaaa", { at: 2000, released: "requeued", releasedAt: 2500 }),
      claim("bbbbbbbbbbbbbbbb", {
        at: 3000,
        released: "parked",
        releasedAt: 4000,
        window: "five_hour",
        resetsAt: 7000
      }),
      claim("cccccccccccccccc", { at: 7000, released: "parked", releasedAt: 7500, wakes: 1 }),
      claim("dddddddddddddddd", { at: 8000 })
    ]
    const [own = assert.fail(), ...parts] = spans({ claims })
    assert.deepStrictEqual(
      [own.name, own.parentSpanId, own.spanId, own.startTimeUnixNano, own.endTimeUnixNano, own.status],
      ["task claude", undefined, spanIdOf("task", id), 1_000_000_000n, 9_000_000_000n, { code: 1 }]
    )
    assert.deepStrictEqual(
      parts.map((span) => [span.name, lengthOf(span), attributesOf(span)["backbeat.wait.reason"]]),
      [
        // The first claim never started its agent.
        ["queued", 2000, undefined],
        ["run", 1000, undefined],
        ["parked", 3000, "limit"],
        ["run", 500, undefined],
        ["parked", 500, "tasks"],
        ["run", 1000, undefined]
      ]
    )
    for (const span of parts) assert.deepStrictEqual([span.traceId, span.parentSpanId], [own.traceId, own.spanId])
    assert.strictEqual(new Set([own, ...parts].map(({ spanId }) => spanId)).size, 7)
    assert.deepStrictEqual(attributesOf(parts[2] ?? assert.fail())["backbeat.limit.resets_at"], 7000)
  })

  it("end where it was cancelled in the queue, before it ran and after", () => {
    assert.deepStrictEqual(
      spans().map((span) => [span.name, lengthOf(span)]),
      [
        ["task claude", 8000],
        ["queued", 8000]
      ]
    )
    const parked = claim("bbbbbbbbbbbbbbbb", { released: "parked", releasedAt: 4000, window: "budget" })
    assert.deepStrictEqual(
      spans({ status: "cancelled", cause: "cancelled", claims: [parked] }).map((span) => [span.name, lengthOf(span)]),
      [
        ["task claude", 8000],
        ["queued", 1000],
        ["run", 2000],
        ["parked", 5000]
      ]
    )
  })

  it("never end before they begin, and never overlap, wherever the clock was set", () => {
    const at = FastCheck.integer({ min: 0, max: 2_000_000_000_000 })
    const ids = ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"]
    const some = FastCheck.array(FastCheck.record({ at, releasedAt: at }), { maxLength: 3 })
    FastCheck.assert(
      FastCheck.property(at, at, some, FastCheck.boolean(), (createdAt, endedAt, releases, inQueue) => {
        const claims = releases.map(({ at, releasedAt }, index) =>
          claim(
            ids[index] ?? "",
            inQueue || index < releases.length - 1 ? { at, released: "parked", releasedAt } : { at }
          )
        )
        const [own = assert.fail(), ...parts] = spans({ createdAt, endedAt, claims })
        let before = own.startTimeUnixNano
        for (const span of parts) {
          assert.strictEqual(span.startTimeUnixNano, before)
          assert.isTrue(span.endTimeUnixNano >= span.startTimeUnixNano)
          before = span.endTimeUnixNano
        }
        assert.strictEqual(own.endTimeUnixNano, before)
      })
    )
  })

  it("say how it ended, what it used and what it followed", () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 20,
      cacheReadTokens: null,
      cacheWriteTokens: null,
      costUsd: 0.25,
      cumulative: false
    }
    const other = { id: "m7q4abk3v9x2", rootId: null, pipelineId: null, traceparent: outside }
    const [own = assert.fail()] = spans({
      status: "failed",
      exitCode: 3,
      labels: JSON.stringify({ team: "a" }),
      usage: JSON.stringify(usage),
      events: [{ name: "asks", at: 5000 }],
      links: [other]
    })
    assert.deepStrictEqual(own.status, { code: 2, message: "exit 3" })
    assert.deepStrictEqual(attributesOf(own), {
      "backbeat.task.id": id,
      "backbeat.task.status": "failed",
      "backbeat.task.cause": "exit",
      "backbeat.task.attempt": 1,
      "process.exit.code": 3,
      "error.type": "exit",
      "gen_ai.agent.name": "claude",
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.output_tokens": 20,
      "backbeat.cost_usd": 0.25,
      "backbeat.label.team": "a"
    })
    assert.deepStrictEqual(own.events, [{ name: "asks", timeUnixNano: 5_000_000_000n }])
    assert.deepStrictEqual(own.links, [
      { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: spanIdOf("task", "m7q4abk3v9x2") }
    ])
    assert.strictEqual(spans({ status: "failed", failureClass: "auth" })[0]?.status.message, "auth")
    assert.strictEqual(spans({ status: "failed", cause: "timeout", exitCode: null })[0]?.status.message, "timeout")
  })

  it("are made although labels and usage cannot be read, and not for a trace that is not kept", () => {
    assert.lengthOf(spans({ labels: "{", usage: "?" }), 2)
    assert.isNull(traceBody(notice, JSON.stringify(facts({ traceparent: outside.replace(/01$/, "00") }))))
    assert.isNull(traceBody(notice, "{"))
  })
})

describe("the calls of tools", () => {
  const call = (id: string, startedAt: number, more: Partial<ToolCall> = {}): ToolCall => ({
    id,
    name: "Bash",
    within: null,
    startedAt,
    endedAt: startedAt + 100,
    failed: false,
    ...more
  })
  const claims = [
    claim("bbbbbbbbbbbbbbbb", { at: 2000, released: "parked", releasedAt: 4000, window: "five_hour" }),
    claim("cccccccccccccccc", { at: 6000 })
  ]
  const document = (more: Partial<TaskFacts> = {}) =>
    traceBody(notice, JSON.stringify(facts({ claims, ...more }))) ?? assert.fail("no document")
  const added = (calls: ReadonlyArray<ToolCall>) => {
    const body = document()
    const [wanted = assert.fail()] = tasksWithoutCalls(body)
    const all = spansIn(withCalls(body, [[wanted, calls]]) ?? body)
    return { all, calls: all.slice(spansIn(body).length) }
  }

  it("are below the run in which they began, and within its time", () => {
    const { all, calls } = added([
      call("1", 3000, { name: "Agent" }),
      call("2", 3010, { within: "1", failed: true }),
      // Read late, because its worker was killed.
      call("3", 3900, { endedAt: 5000 }),
      call("4", 6500, { endedAt: null, failed: null }),
      // The clock was set back.
      call("5", 10)
    ])
    const [first, second] = all.filter(({ name }) => name === "run").map(({ spanId }) => spanId)
    assert.deepStrictEqual(
      calls.map((span) => [span.name, span.parentSpanId, Number(span.startTimeUnixNano / 1_000_000n), lengthOf(span)]),
      [
        ["execute_tool Agent", first, 3000, 100],
        ["execute_tool Bash", calls[0]?.spanId, 3010, 100],
        ["execute_tool Bash", first, 3900, 100],
        ["execute_tool Bash", second, 6500, 2500],
        ["execute_tool Bash", first, 2000, 0]
      ]
    )
    assert.deepStrictEqual(
      calls.map(({ status }) => status.code),
      [1, 2, 1, 0, 1]
    )
    assert.strictEqual(new Set(all.map(({ spanId }) => spanId)).size, all.length)
    assert.deepStrictEqual(attributesOf(calls[0] ?? assert.fail()), {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "Agent",
      "gen_ai.tool.call.id": "1"
    })
  })

  it("are added once, and to no document without runs", () => {
    const body = document()
    const [wanted = assert.fail()] = tasksWithoutCalls(body)
    assert.deepStrictEqual([wanted.taskId, wanted.agent, wanted.runs.length], [id, "claude", 2])
    assert.isNull(withCalls(body, [[wanted, []]]))
    assert.deepStrictEqual(tasksWithoutCalls(withCalls(body, [[wanted, [call("1", 3000)]]]) ?? body), [])
    assert.deepStrictEqual(tasksWithoutCalls(document({ claims: [] })), [])
    assert.deepStrictEqual(tasksWithoutCalls("{"), [])
    assert.isNull(withCalls("{", [[wanted, [call("1", 3000)]]]))
  })

  it("are joined from their beginnings and ends, also where output is missing and ids come again", () => {
    const calls = collectCalls()
    const event = (id: string, phase: "begins" | "ends" | "whole", more: object = {}) => ({ id, phase, ...more })
    calls.add(event("a", "begins", { name: "Read" }), 1)
    calls.add(event("b", "ends"), 2)
    calls.add(event("a", "ends", { failed: true }), 3)
    calls.add(event("a", "ends"), 4)
    calls.add(event("c", "begins"), 5)
    calls.gap(6)
    calls.add(event("c", "ends", { failed: true }), 7)
    calls.add(event("d", "begins"), 8)
    calls.nextRun()
    calls.add(event("d", "begins"), 9)
    calls.add(event("d", "ends", { failed: false }), 10)
    calls.add(event("e", "whole", { startedAt: 7, failed: false }), 11)
    assert.deepStrictEqual(
      calls.all().map(({ endedAt, failed, id, name, startedAt }) => [id, name, startedAt, endedAt, failed]),
      [
        ["a", "Read", 1, 3, true],
        ["c", "tool", 5, 6, null],
        ["d", "tool", 8, null, null],
        ["d", "tool", 9, 10, false],
        ["e", "tool", 7, 11, false]
      ]
    )
    for (let n = 0; n < 2 * mostCalls; n += 1) calls.add(event(`n${n}`, "whole"), 12)
    assert.lengthOf(calls.all(), mostCalls)
  })
})

describe("the span of a merge", () => {
  const facts = JSON.stringify({ id: "m7q4abk3v9x2", createdAt: 10_000, task })
  const merge = (status: string, at: number) =>
    spansIn(traceBody({ ...notice, kind: "merge-ended", at, data: { status } }, facts) ?? assert.fail("no document"))[0]

  it("is below its task, from its beginning to its end, and an undo is another one", () => {
    const merged = merge("merged", 12_000)
    assert.deepStrictEqual(
      [merged?.name, merged?.parentSpanId, merged?.traceId, merged?.status],
      ["merge", spanIdOf("task", id), traceIdOf(spanIdOf("task", id)), { code: 1 }]
    )
    assert.strictEqual(lengthOf(merged ?? assert.fail()), 2000)
    assert.deepStrictEqual(attributesOf(merged ?? assert.fail()), {
      "backbeat.merge.id": "m7q4abk3v9x2",
      "backbeat.merge.status": "merged",
      "backbeat.task.id": id
    })
    assert.deepStrictEqual(merge("conflict", 12_000)?.status, { code: 2, message: "conflict" })
    assert.strictEqual(lengthOf(merge("refused", 9000) ?? assert.fail()), 0)
    const undone = merge("undone", 20_000)
    assert.notStrictEqual(undone?.spanId, merged?.spanId)
    assert.deepStrictEqual([undone?.name, undone?.startTimeUnixNano], ["merge undone", 20_000_000_000n])
  })
})
