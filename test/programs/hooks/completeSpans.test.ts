/** Calls of tools are found in stored output: over gaps, over runs that use the same ids, and in no output of a command. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { resourceOf, spansDocument } from "../../../src/domain/traces/Otlp.ts"
import { callReaderOf } from "../../../src/layers/agents/signals/callReaderOf.ts"
import { completeSpans } from "../../../src/programs/hooks/completeSpans.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { bytesOf } from "../../support/output.ts"
import { lengthOf, spansIn } from "../../support/spans.ts"
import { testSql } from "../../support/stores.ts"
import { submit } from "../../support/tasks.ts"

const agents = Layer.mock(Agents, { calls: (agent) => Effect.succeed(callReaderOf(agent)) })
const layer = Layer.merge(testSql, agents)

const span = (spanId: string, parentId: string | null, name: string, from: number, to: number) => ({
  traceId: "a".repeat(32),
  spanId: spanId.repeat(16),
  parentId: parentId?.repeat(16) ?? null,
  name,
  kind: 1,
  startTime: BigInt(from) * 1_000_000n,
  endTime: BigInt(to) * 1_000_000n,
  code: 0
})

/** A task with two runs. */
const documentOf = (taskId: TaskId, agent: string) => {
  const own = {
    ...span("1", null, "task", 0, 20_000),
    attributes: { "backbeat.task.id": taskId, "gen_ai.agent.name": agent }
  }
  return spansDocument(resourceOf({}), [own, span("5", "1", "run", 0, 9000), span("6", "1", "run", 10_000, 20_000)])
}

const item = (type: "started" | "completed", id: string, status = "completed") =>
  `${JSON.stringify({ type: `item.${type}`, item: { id, type: "command_execution", command: "x", status } })}\n`

/** Prints these texts, a second apart, beginning at `from`. */
const print = (taskId: TaskId, texts: ReadonlyArray<string>, from = 1000, cap = 1_000_000) =>
  Effect.gen(function* () {
    const store = yield* OutputStore
    let offset = 0
    for (const [second, text] of texts.entries()) {
      yield* TestClock.setTime(from + second * 1000)
      const bytes = bytesOf(text)
      yield* store.append({ taskId, stream: "stdout", offset, bytes }, { cap })
      offset += bytes.length
    }
  })

const callsOf = (body: string | null) =>
  spansIn(body ?? assert.fail("nothing was found"))
    .slice(3)
    .map((one) => [one.parentSpanId?.[0], Number(one.startTimeUnixNano / 1_000_000n), lengthOf(one), one.status.code])

describe("the calls of tools in a task's output", () => {
  it.effect("belong to the run in which they began, where a second run uses the same ids again", () =>
    Effect.gen(function* () {
      const { id } = yield* submit({ agent: "codex" })
      const first = [item("started", "item_0"), item("completed", "item_0"), item("started", "item_1")]
      const second = [item("started", "item_1"), item("completed", "item_1", "failed")]
      // The second run begins ten seconds later.
      yield* print(id, [...first, ...Array.from({ length: 7 }, () => "{}\n"), ...second])
      assert.deepStrictEqual(callsOf(yield* completeSpans(documentOf(id, "codex"))), [
        ["5", 1000, 1000, 1],
        ["5", 3000, 6000, 0],
        ["6", 11_000, 1000, 2]
      ])
    }).pipe(Effect.provide(layer))
  )

  it.effect("end at a gap, and a line that it cut is not read", () =>
    Effect.gen(function* () {
      const { id } = yield* submit({ agent: "codex" })
      const line = item("started", "item_0")
      const cap = 2 * line.length
      // The beginning and the end are kept, of `cap` bytes.
      yield* print(
        id,
        [line, item("completed", "item_0"), "x".repeat(500), `\n${item("started", "item_2")}`],
        1000,
        cap
      )
      assert.deepStrictEqual(callsOf(yield* completeSpans(documentOf(id, "codex"))), [["5", 1000, 3000, 0]])
    }).pipe(Effect.provide(layer))
  )

  it.effect("are none in what a command prints, nor where there is no output", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      assert.isNull(yield* completeSpans(documentOf(id, "codex")))
      yield* print(id, [item("started", "item_0"), item("completed", "item_0")])
      assert.isNull(yield* completeSpans(documentOf(id, "shell")))
    }).pipe(Effect.provide(layer))
  )
})
