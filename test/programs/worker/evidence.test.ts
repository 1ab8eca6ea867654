/** Lines out of stored bytes: whole ones only, wherever the pieces were cut, and a bounded number. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { linesOf } from "../../../src/programs/worker/evidence.ts"

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

  it("leaves out a line that is too long, and goes on behind it", () => {
    const long = new Uint8Array(4 * 1024 * 1024 + 1).fill(120)
    const all = new Uint8Array([...bytes("a\n"), ...long, ...bytes("\nb\n")])
    assert.deepStrictEqual(linesOf([{ offset: 0, bytes: all }], all.length), ["a", "b"])
  })
})
