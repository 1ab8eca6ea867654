/** What the live screen keeps of a task's output: the end, with a bound, however much is printed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeOutputTail } from "../../../src/programs/top/OutputTail.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { bytesOf } from "../../support/output.ts"
import { testSql } from "../../support/stores.ts"
import { submitAndClaim } from "../../support/tasks.ts"

const plain = Layer.mock(Agents, {
  renderer: () => Effect.succeed({ line: (raw: string) => [raw], end: () => [] })
})

describe("the output on the live screen", () => {
  it.effect("keeps the newest lines, and its work for each look is bounded", () =>
    Effect.gen(function* () {
      const store = yield* OutputStore
      let read = 0
      const counted = OutputStore.of({
        ...store,
        read: (options) => Effect.tap(store.read(options), (chunks) => Effect.sync(() => (read += chunks.length))),
        readBack: (options) =>
          Effect.tap(store.readBack(options), (chunks) => Effect.sync(() => (read += chunks.length)))
      })
      const { task } = yield* submitAndClaim()
      let offset = 0
      let line = 0
      const print = (lines: number) => {
        const text = Array.from({ length: lines }, (_, n) => `line ${line + n + 1} ${"x".repeat(90)}\n`).join("")
        line += lines
        const bytes = bytesOf(text)
        const write = store.append({ taskId: task.id, stream: "stdout", offset, bytes }, { cap: 100_000_000 })
        offset += bytes.length
        return write
      }
      const tail = yield* Effect.provideService(makeOutputTail(task), OutputStore, counted)
      assert.isFalse(yield* tail.advance)
      yield* print(10)
      assert.isTrue(yield* tail.advance)
      assert.deepStrictEqual([tail.text().lines.length, tail.text().first], [10, 0])
      // 5 MB between two looks: most of it is skipped.
      for (let part = 0; part < 50; part += 1) yield* print(1000)
      read = 0
      assert.isTrue(yield* tail.advance)
      const { first, lines } = tail.text()
      assert.isAtMost(read, 30)
      assert.isAtMost(lines.length, 5000)
      assert.match(lines.at(-1) ?? "", new RegExp(`^line ${line} `))
      // The numbers of lines only rise, so that a search stays where it was.
      assert.isAtLeast(first, 10)
      for (let part = 0; part < 20; part += 1) {
        yield* print(1000)
        yield* tail.advance
      }
      assert.isAtMost(tail.text().lines.length, 5000)
      assert.match(tail.text().lines.at(-1) ?? "", new RegExp(`^line ${line} `))
      assert.isFalse(yield* tail.advance)
    }).pipe(Effect.provide(Layer.merge(testSql, plain)))
  )
})
