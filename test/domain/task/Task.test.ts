/** Ids, titles and labels of tasks. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { isTerminal, Labels, TaskId, TaskStatus, titleOf } from "../../../src/domain/task/Task.ts"

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

describe("TaskId", () => {
  const is = Schema.is(TaskId)

  it("is twelve characters of Crockford base 32, in lower case, and nothing else", () => {
    const character = FastCheck.constantFrom(...crockford)
    const id = FastCheck.array(character, { minLength: 12, maxLength: 12 }).map((parts) => parts.join(""))
    FastCheck.assert(
      FastCheck.property(id, FastCheck.nat(11), (text, at) => {
        assert.isTrue(is(text))
        assert.isFalse(is(text.slice(1)))
        assert.isFalse(is(`${text}0`))
        assert.isFalse(is(`${text}\n`))
        for (const other of ["i", "l", "o", "u", "A", "-", " ", "é"]) {
          assert.isFalse(is(text.slice(0, at) + other + text.slice(at + 1)))
        }
      }),
      { numRuns: 60 }
    )
    assert.isFalse(is(""))
    assert.isFalse(is(123456789012))
  })
})

describe("titleOf", () => {
  it("is the first line with something in it", () => {
    assert.strictEqual(titleOf("fix it"), "fix it")
    assert.strictEqual(titleOf("\n \t\r\n  fix it \r\nand more"), "fix it")
    assert.strictEqual(titleOf(""), "")
    assert.strictEqual(titleOf(" \n "), "")
  })

  it("is at most 200 characters, and never half of one", () => {
    assert.strictEqual(titleOf("x".repeat(200)), "x".repeat(200))
    assert.strictEqual(titleOf("x".repeat(201)), `${"x".repeat(199)}…`)
    assert.strictEqual(titleOf("🎉".repeat(300)), `${"🎉".repeat(199)}…`)
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary", maxLength: 5000, size: "max" }), (prompt) => {
        const title = titleOf(prompt)
        assert.isAtMost(Array.from(title).length, 200)
        assert.notMatch(title, /\n/)
        assert.notMatch(title, /[\ud800-\udfff]/u)
        assert.strictEqual(titleOf(title), title)
      }),
      { numRuns: 60 }
    )
  })

  it("looks at the beginning of a huge prompt only", () => {
    assert.strictEqual(titleOf(`first\n${"x".repeat(5_000_000)}`), "first")
  })
})

describe("Labels", () => {
  const is = Schema.is(Labels)

  it("are at most 32, with short plain keys", () => {
    const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, ""]))
    assert.isTrue(is(labels(32)))
    assert.isFalse(is(labels(33)))
    assert.isTrue(is({ "a/b-c.d_E": "any value, 漢字" }))
    for (const key of ["", "a b", "a=b", "é", "k".repeat(65)]) assert.isFalse(is({ [key]: "" }), key)
    assert.isTrue(is({ k: "v".repeat(256) }))
    assert.isFalse(is({ k: "v".repeat(257) }))
  })
})

describe("isTerminal", () => {
  it("tells the three ends from the rest", () => {
    assert.deepStrictEqual(TaskStatus.literals.filter(isTerminal), ["completed", "failed", "cancelled"])
  })
})
