/** What counts as PASS and FAIL in an answer, and where its JSON value is. */
import { assert, describe, it } from "vitest"
import { jsonIn, verdictOf } from "../../../src/domain/pipeline/AnswerRule.ts"

describe("the verdict of an answer", () => {
  for (const answer of [
    "PASS",
    "All fine.\n\n**PASS**\n\n",
    "`PASS`.",
    "Verdict: PASS",
    "PASS - nothing to add",
    "PASSED"
  ]) {
    it(`says yes: ${JSON.stringify(answer)}`, () => assert.deepStrictEqual(verdictOf(answer), { says: "yes" }))
  }

  for (const [answer, reason] of [
    ["FAIL: no test covers it", "no test covers it"],
    ["**FAIL** — the build is broken", "the build is broken"],
    ["The build is broken.\nFAIL", "The build is broken."],
    ["PASS\nFAIL", "PASS"],
    ["FAIL", "no reason given"]
  ] as const) {
    it(`says no: ${JSON.stringify(answer)}`, () => assert.deepStrictEqual(verdictOf(answer), { says: "no", reason }))
  }

  for (const answer of [
    null,
    "",
    "pass",
    "PASSWORD",
    "PASS\nthat is what I would say",
    "It would PASS",
    "FAILURE is near"
  ]) {
    it(`decides nothing: ${JSON.stringify(answer)}`, () => assert.deepInclude(verdictOf(answer), { says: "unclear" }))
  }

  it("keeps its reason short", () => {
    const verdict = verdictOf(`FAIL: ${"x".repeat(5000)}`)
    assert.strictEqual(verdict.says === "no" ? verdict.reason.length : 0, 500)
  })
})

describe("the JSON value of an answer", () => {
  it("is the whole answer, or its last fenced block", () => {
    assert.deepStrictEqual(jsonIn(' {"a": 1}\n'), { value: { a: 1 } })
    assert.deepStrictEqual(jsonIn('First:\n```json\n1\n```\nthen\n```\n{"a": 2}\n```\nDone.'), { value: { a: 2 } })
    for (const answer of [null, "", "no value", "```json\n{\n```"]) assert.isNull(jsonIn(answer))
  })
})
