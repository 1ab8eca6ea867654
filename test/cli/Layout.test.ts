/** Columns that fit the screen. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { cut, pad, table, widthOf, wrap } from "../../src/cli/output/Layout.ts"

const texts = FastCheck.array(FastCheck.constantFrom("a", "語", "é", "👩‍💻", " ", "word ", "🚀", "\u0301", "…"), {
  maxLength: 60
}).map((parts) => parts.join(""))
const columns = FastCheck.integer({ min: 4, max: 80 })

describe("layout", () => {
  it("cuts and pads to the width on the screen", () => {
    assert.strictEqual(cut("語語語", 5), "語語…")
    assert.strictEqual(cut("abc", 3), "abc")
    assert.strictEqual(pad("\u001b[31mab\u001b[39m", 4), "\u001b[31mab\u001b[39m  ")
    FastCheck.assert(FastCheck.property(texts, columns, (text, width) => widthOf(cut(text, width)) <= width))
    FastCheck.assert(
      FastCheck.property(texts, columns, (text, width) => widthOf(pad(cut(text, width), width)) === width)
    )
  })

  it("wraps without losing anything but spaces", () => {
    FastCheck.assert(
      FastCheck.property(texts, columns, (text, width) => {
        const lines = wrap(text, width)
        assert.isTrue(lines.every((line) => widthOf(line) <= width))
        assert.strictEqual(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""))
      })
    )
  })

  it("keeps a table within the screen by shrinking, then dropping columns", () => {
    const spec = [{ title: "ID" }, { title: "NOTE", dropAt: 0 }, { title: "TASK", shrinkTo: 6 }]
    const rows = [[{ text: "abcdefgh" }, { text: "a note of some length" }, { text: "語".repeat(40) }]]
    for (const width of [20, 40, 60, 200]) {
      const lines = table(spec, rows, width, (text) => text)
      assert.isTrue(
        lines.every((line) => widthOf(line) <= width),
        `${width}`
      )
      assert.isTrue(lines[1]?.startsWith("abcdefgh"))
      assert.strictEqual(lines[0]?.includes("NOTE"), width >= 40)
    }
    assert.include(table(spec, rows, null, (text) => text)[1], "語".repeat(40))
  })
})
