/** The check of loops: what it lets pass, and what it reports of verdicts, rounds and ends that do not follow from the tasks. */
import { assert, describe, it } from "vitest"
import { type LoopRow, loopProblems } from "../../src/torture/checks/LoopCheck.ts"
import type { LoopPlan } from "../../src/torture/load/LoopPlan.ts"
import { makePlan } from "../../src/torture/Plan.ts"

const [first] = makePlan(1, 60_000).loops
if (first === undefined) throw new Error("no loop is planned")
const plan = (more: Partial<LoopPlan>): LoopPlan => ({ ...first, kind: "until", maxRounds: 4, lines: 2, ...more })

type Judged = Parameters<typeof loopProblems>[2][number]

const round = (number: number, more: Partial<Judged> = {}): Judged => ({
  round: number,
  verdict: "fail",
  score: null,
  kept: 1,
  start_commit: number === 1 ? null : `c${number - 1}`,
  commit: `c${number}`,
  files: 1,
  feedback: `${number}`,
  work_error: null,
  work: { id: `w${number}`, status: "completed" },
  evaluation: { id: `e${number}`, status: "failed", cause: "exit" },
  printed: "",
  ...more
})
const passed: Partial<Judged> = { verdict: "pass", evaluation: { id: "e", status: "completed", cause: "exit" } }
const killed: Partial<Judged> = { verdict: "error", evaluation: { id: "e", status: "failed", cause: "signal" } }

const loop = (status: string, rounds: number, more: Partial<LoopRow> = {}): LoopRow => ({
  id: "x",
  status,
  round: rounds,
  best_round: rounds,
  best_score: null,
  cancel_requested_at: null,
  ...more
})

const scored = (score: number): Partial<Judged> => ({ ...passed, score, printed: String(score) })

describe("the check of loops", () => {
  it("passes rounds that lead to their ends", () => {
    assert.isEmpty(loopProblems(plan({}), loop("passed", 2), [round(1), round(2, passed)]))
    assert.isEmpty(loopProblems(plan({ maxRounds: 2 }), loop("exhausted", 2), [round(1), round(2, killed)]))
    assert.isEmpty(loopProblems(plan({}), loop("cancelled", 1, { cancel_requested_at: 1 }), [round(1)]))
    const score = plan({ kind: "score", lines: 3 })
    assert.isEmpty(
      loopProblems(score, loop("target", 3, { best_score: 3 }), [
        round(1, scored(2)),
        round(2, { ...scored(2), kept: 0 }),
        round(3, { ...scored(3), start_commit: "c1" })
      ])
    )
    const failed: Partial<Judged> = { work_error: "signal", work: { id: "w", status: "failed" } }
    assert.isEmpty(loopProblems(plan({}), loop("failed", 3), [round(1, failed), round(2, failed), round(3, failed)]))
  })

  const cases: ReadonlyArray<readonly [string, LoopPlan, LoopRow, ReadonlyArray<Judged>]> = [
    ["a verdict that the evaluation contradicts", plan({}), loop("passed", 1), [round(1, { verdict: "pass" })]],
    [
      "an evaluation that was killed and counts as an answer",
      plan({}),
      loop("running", 1),
      [round(1, { ...killed, verdict: "fail" })]
    ],
    ["a round after the end", plan({}), loop("passed", 2), [round(1, passed), round(2, passed)]],
    ["no round where one should follow", plan({}), loop("exhausted", 1), [round(1)]],
    [
      "a round that starts from another commit",
      plan({}),
      loop("passed", 2),
      [round(1), round(2, { ...passed, start_commit: null })]
    ],
    ["a round that is missing", plan({}), loop("passed", 2), [round(2, passed)]],
    [
      "a worse score that is kept",
      plan({ kind: "score", lines: 9, maxRounds: 2 }),
      loop("exhausted", 2),
      [round(1, scored(2)), round(2, scored(1))]
    ],
    [
      "a best round that is not the best",
      plan({ maxRounds: 2 }),
      loop("exhausted", 2, { best_round: 1 }),
      [round(1), round(2)]
    ],
    [
      "failed work that is not noted",
      plan({}),
      loop("passed", 1),
      [round(1, { ...passed, work: { id: "w", status: "failed" } })]
    ],
    ["an end that nothing explains", plan({}), loop("stale", 2), [round(1), round(2)]]
  ]
  for (const [what, planned, row, rounds] of cases) {
    it(`reports ${what}`, () => assert.isNotEmpty(loopProblems(planned, row, rounds)))
  }
})
