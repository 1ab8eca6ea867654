/** Lines out of stored bytes: whole ones only, wherever the pieces were cut, and a bounded number. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import { linesOf, readEvidence } from "../../../src/programs/worker/readEvidence.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { testSql } from "../../support/stores.ts"
import { claimNext, parked, submit } from "../../support/tasks.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("linesOf", () => {
  it("finds the same lines however the stream is cut into pieces", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(
          FastCheck.string({ unit: "binary" }).map((line) => line.replace(/[\r\n]/g, "")),
          { maxLength: 20 }
        ),
        FastCheck.array(FastCheck.nat(60), { maxLength: 8 }),
        (lines, cuts) => {
          const whole = bytes(lines.map((line) => `${line}\n`).join(""))
          const borders = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
          const pieces = borders.slice(1).map((end, index) => {
            const offset = borders[index] ?? 0
            return { offset, bytes: whole.subarray(offset, end) }
          })
          const expected = new TextDecoder().decode(whole).split("\n").slice(0, -1)
          assert.deepStrictEqual(linesOf(pieces, whole.length), expected)
        }
      ),
      { numRuns: 200 }
    )
  })

  it("leaves out what a gap cut, on both sides of it", () => {
    const head = { offset: 0, bytes: bytes("first\nsecond, cut he") }
    const tail = { offset: 100, bytes: bytes("re it goes on\nlast") }
    assert.deepStrictEqual(linesOf([head, tail], 118), ["first", "last"])
  })

  it("takes a last line without a newline at the end of the stream only", () => {
    assert.deepStrictEqual(linesOf([{ offset: 0, bytes: bytes("one\ntwo") }], 7), ["one", "two"])
    assert.deepStrictEqual(linesOf([{ offset: 0, bytes: bytes("one\ntwo") }], 50), ["one"])
  })

  it("keeps the last of very many lines", () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `${index}\n`).join("")
    const lines = linesOf([{ offset: 0, bytes: bytes(text) }], text.length)
    assert.strictEqual(lines.length, 20_000)
    assert.strictEqual(lines[0], "10000")
    assert.strictEqual(lines.at(-1), "29999")
  })

  it("leaves out a line that is too long, and continues after it", () => {
    const long = new Uint8Array(4 * 1024 * 1024 + 1).fill(120)
    const all = new Uint8Array([...bytes("a\n"), ...long, ...bytes("\nb\n")])
    assert.deepStrictEqual(linesOf([{ offset: 0, bytes: all }], all.length), ["a", "b"])
  })
})

describe("what a task is judged by", () => {
  it.effect("is what its present claim printed: the refusal before it was parked counts no more", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const output = yield* OutputStore
      const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
      const { id } = yield* submit({ agent: "claude", account })
      const print = (offset: number, text: string) =>
        output.append({ taskId: id, stream: "stdout", offset, bytes: bytes(text) }, { cap: 10_000 })
      const claimed = yield* claimNext()
      yield* print(0, "refused\nhalf")
      yield* queue.park(claimed.claim, parked({ sessionId: "s" }))
      yield* TestClock.adjust("1 hour")
      yield* claimNext()
      assert.deepStrictEqual((yield* readEvidence(id)).stdout, [])
      yield* print(12, "goes on\ndone\n")
      assert.deepStrictEqual((yield* readEvidence(id)).stdout, ["goes on", "done"])
    }).pipe(Effect.provide(testSql))
  )
})
