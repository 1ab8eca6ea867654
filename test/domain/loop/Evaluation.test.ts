/** Reads scores and verdicts from how evaluations ended and what they printed. */
import { assert, describe, it } from "@effect/vitest"
import { type Evaluation, evaluate, median, scoreIn } from "../../../src/domain/loop/Evaluation.ts"

const evaluation = (kind: Evaluation["kind"], fields: Partial<Evaluation> = {}): Evaluation => ({
  kind,
  status: "completed",
  cause: "exit",
  stdout: "",
  ...fields
})

describe("the score of a round", () => {
  const printed: ReadonlyArray<readonly [string, number | null]> = [
    ["41.5\n", 41.5],
    ["warming up\n12\n  7.25  \n", 7.25],
    ["7\ndone\n", 7],
    ["-3", -3],
    ["1e3\r\n", 1000],
    [".5", 0.5],
    ['{"score": 9, "metrics": {"p99": 4}}', 9],
    ['3\n{"other": 1}\n', 3],
    ['7\n{"score": null}', null],
    ['7\n{"score": NaN}', null],
    ['42\n{"score": Infinity, "unit": "ms"}', null],
    ['42\n{"score": -Infinity}', null],
    ['7\n{"score": 1e999}', null],
    ['7\n{"score": "12"}', null],
    ['7\n{"score": true}', null],
    ['7\n{"score": [12]}', null],
    ['7\n{"loss": NaN, "score": 3}', null],
    ["7\n{'score': 3}", null],
    ['7\n{"score": 3', null],
    ['{"score": null}\n7', 7],
    ['{"score": NaN}\n{"score": 3}', 3],
    ['7\n{"score": 3}\ndone', 3],
    ['{"score": 0}', 0],
    ['{"score": -0.5}', -0.5],
    ['3\n{"best": {"score": 9}}', 3],
    ['3\n{"scores": [9]}', 3],
    ['3\n{"high-score": NaN}', 3],
    ['3\n{"other": NaN}', 3],
    ["3\n{}", 3],
    ["3\n{", 3],
    ['3\nthe JSON is {"score": NaN}', 3],
    ["", null],
    ["no number here", null],
    ["5 ms", null],
    ["12\nnan\n", null],
    ["12\n-inf\n", null],
    ["1e999", null],
    ["0x10", null]
  ]
  for (const [stdout, score] of printed) {
    it(`is ${score} for ${JSON.stringify(stdout)}`, () => {
      assert.strictEqual(scoreIn(stdout), score)
    })
  }

  it("is the median of the samples", () => {
    assert.strictEqual(median([9, 1, 5]), 5)
    assert.strictEqual(median([4, 2]), 3)
    assert.isNull(median([]))
  })
})

describe("the verdict of a round", () => {
  it("is a pass when every command passes", () => {
    assert.deepStrictEqual(evaluate([evaluation("until"), evaluation("score", { stdout: "4" })], null), {
      verdict: "pass",
      score: 4
    })
  })

  it("is a failure when a command exits with another code, whatever the score", () => {
    const failed = evaluation("until", { status: "failed" })
    assert.deepStrictEqual(evaluate([failed, evaluation("score", { stdout: "1" })], null), {
      verdict: "fail",
      score: null
    })
  })

  for (const cause of ["timeout", "signal", "stalled", "spawn-failed", "owner-lost", "output-limit"] as const) {
    it(`is an error when a command ends by ${cause}`, () => {
      assert.strictEqual(evaluate([evaluation("until", { status: "failed", cause })], null).verdict, "error")
      const score = evaluation("score", { status: "failed", cause, stdout: "0.001" })
      assert.deepStrictEqual(evaluate([score], null), { verdict: "error", score: null })
    })
  }

  it("is a failure when the judge says FAIL, and an error when its answer says nothing", () => {
    const judged = (cause: Evaluation["cause"]) =>
      evaluate([evaluation("until"), evaluation("judge", { status: "failed", cause })], null).verdict
    assert.strictEqual(judged("rejected"), "fail")
    for (const cause of ["agent-error", "exit", "timeout"] as const) assert.strictEqual(judged(cause), "error", cause)
    assert.strictEqual(evaluate([evaluation("until"), evaluation("judge")], null).verdict, "pass")
  })

  it("is that of the command when the judge never starts because of it", () => {
    const never = evaluation("judge", { status: "cancelled", cause: "dependency-failed" })
    assert.strictEqual(evaluate([evaluation("until", { status: "failed" }), never], null).verdict, "fail")
    const broken = evaluation("until", { status: "failed", cause: "timeout" })
    assert.strictEqual(evaluate([broken, never], null).verdict, "error")
  })

  it("is an error when one of the samples has no number", () => {
    const samples = [evaluation("score", { stdout: "4" }), evaluation("score", { stdout: "nan" })]
    assert.deepStrictEqual(evaluate(samples, null), { verdict: "error", score: null })
  })

  it("is tampered when a protected file changed, even if everything passes", () => {
    assert.strictEqual(evaluate([evaluation("until")], "test/login.test.ts").verdict, "tampered")
  })
})
