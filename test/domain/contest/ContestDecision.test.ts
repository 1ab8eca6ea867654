/** Which candidate is kept. */
import { assert, describe, it } from "vitest"
import type { Contest } from "../../../src/domain/contest/Contest.ts"
import { decideContest, type Judged, judgeCandidate } from "../../../src/domain/contest/ContestDecision.ts"

const commit = "a".repeat(40)

const candidate = (number: number, fields: Partial<Judged> = {}): Judged => ({
  number,
  verdict: "pass",
  score: null,
  commit,
  files: 1,
  insertions: 10,
  deletions: 0,
  ...fields
})

const unmeasured: Pick<Contest["rules"], "better" | "score"> = { score: null, better: "lower" }
const lower: Pick<Contest["rules"], "better" | "score"> = { score: "node bench.js", better: "lower" }
const higher: Pick<Contest["rules"], "better" | "score"> = { ...lower, better: "higher" }

const kept = (rules: typeof unmeasured, ...candidates: ReadonlyArray<Judged>) => decideContest(rules, candidates, false)

describe("the decision of a contest", () => {
  it("waits for the verdict of each candidate", () => {
    assert.isNull(kept(unmeasured, candidate(1), candidate(2, { verdict: null })))
  })

  it("keeps none where none passed, or where what passed could not be sealed", () => {
    const others = (["fail", "error", "tampered"] as const).map((verdict, index) => candidate(index + 1, { verdict }))
    assert.deepStrictEqual(kept(unmeasured, ...others), { status: "failed", winner: null })
    assert.deepStrictEqual(kept(unmeasured, candidate(1, { commit: null })), { status: "failed", winner: null })
  })

  it("keeps the best score of those that passed", () => {
    const candidates = [
      candidate(1, { score: 5 }),
      candidate(2, { score: 3 }),
      candidate(3, { score: 1, verdict: "tampered" }),
      candidate(4, { score: 9 })
    ]
    assert.strictEqual(kept(lower, ...candidates)?.winner, 2)
    assert.strictEqual(kept(higher, ...candidates)?.winner, 4)
  })

  it("keeps a candidate that changed nothing if its score is the best", () => {
    assert.strictEqual(kept(lower, candidate(1, { score: 5 }), candidate(2, { score: 4, files: 0 }))?.winner, 2)
  })

  it("breaks a tie by fewer changed lines, then by the lower number, and prefers a change to none", () => {
    assert.strictEqual(kept(unmeasured, candidate(1), candidate(2, { insertions: 2, deletions: 3 }))?.winner, 2)
    assert.strictEqual(kept(unmeasured, candidate(2), candidate(1))?.winner, 1)
    assert.strictEqual(kept(unmeasured, candidate(1, { files: 0, insertions: 0 }), candidate(2))?.winner, 2)
    assert.strictEqual(kept(lower, candidate(1, { score: 2 }), candidate(2, { score: 2, insertions: 1 }))?.winner, 2)
  })

  it("keeps none of a contest that is cancelled", () => {
    assert.deepStrictEqual(decideContest(unmeasured, [candidate(1)], true), { status: "cancelled", winner: null })
  })
})

describe("the verdict of a candidate", () => {
  const passing = { kind: "until", status: "completed", cause: "exit", stdout: "" } as const
  const scoring = { kind: "score", status: "completed", cause: "exit", stdout: "41.2 ms\n7\n" } as const

  it("is fail where its work did not complete, whatever the evaluations say", () => {
    assert.deepStrictEqual(judgeCandidate("failed", [passing], null), { verdict: "fail", score: null })
    assert.deepStrictEqual(judgeCandidate("cancelled", [passing], "bench.js"), { verdict: "fail", score: null })
  })

  it("is fail where the check fails, so that the score was not measured", () => {
    const failed = { ...passing, status: "failed" } as const
    const skipped = { ...scoring, status: "cancelled", cause: "dependency-failed", stdout: "" } as const
    assert.strictEqual(judgeCandidate("completed", [failed, skipped], null).verdict, "fail")
  })

  it("is pass with a score, tampered where a protected file changed, and error where no number was printed", () => {
    assert.deepStrictEqual(judgeCandidate("completed", [passing, scoring], null), { verdict: "pass", score: 7 })
    assert.strictEqual(judgeCandidate("completed", [passing, scoring], "bench.js").verdict, "tampered")
    assert.strictEqual(judgeCandidate("completed", [passing, { ...scoring, stdout: "nan" }], null).verdict, "error")
  })
})
