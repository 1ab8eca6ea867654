/** What follows a round, for every way in which one can end. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { decideLoop, isReached, type LoopState } from "../../../src/domain/loop/LoopDecision.ts"
import { loopRules } from "../../support/loopRules.ts"

type Judged = LoopState["rounds"][number]

const judged = (round: number, fields: Partial<Judged> = {}): Judged => ({
  round,
  verdict: "fail",
  score: null,
  kept: true,
  startCommit: null,
  commit: `c${round}`,
  files: 1,
  feedback: `failure ${round}`,
  workError: null,
  ...fields
})

const state = (rounds: ReadonlyArray<Judged>, fields: Partial<LoopState> = {}): LoopState => ({
  rules: loopRules(),
  bestScore: null,
  spentUsd: 0,
  pauseRequestedAt: null,
  cancelRequestedAt: null,
  rounds,
  ...fields
})

const scored = loopRules({ until: null, score: "node bench.js" })

describe("a loop until a command passes", () => {
  it("ends when it passes", () => {
    const decision = decideLoop(state([judged(1), judged(2, { verdict: "pass" })]), 0)
    assert.deepStrictEqual(decision, { kept: true, next: { _tag: "End", status: "passed" } })
  })

  it("goes from the tree that the last round left", () => {
    const decision = decideLoop(state([judged(1), judged(2)]), 0)
    assert.deepStrictEqual(decision, { kept: true, next: { _tag: "Round", startCommit: "c2" } })
  })

  it("does not go from a round that changed a protected file", () => {
    const decision = decideLoop(state([judged(1), judged(2, { verdict: "tampered" })]), 0)
    assert.deepStrictEqual(decision, { kept: false, next: { _tag: "Round", startCommit: "c1" } })
  })

  it("starts at its base again when the first round changed a protected file", () => {
    const decision = decideLoop(state([judged(1, { verdict: "tampered", startCommit: "base" })]), 0)
    assert.deepStrictEqual(decision.next, { _tag: "Round", startCommit: "base" })
  })

  it("ends after its last round", () => {
    const decision = decideLoop(state([judged(9), judged(10)]), 0)
    assert.deepStrictEqual(decision.next, { _tag: "End", status: "exhausted" })
  })

  it("passes in its last round", () => {
    const decision = decideLoop(state([judged(9), judged(10, { verdict: "pass" })]), 0)
    assert.deepStrictEqual(decision.next, { _tag: "End", status: "passed" })
  })

  it("is stale after two rounds that change nothing, and not after one", () => {
    const idle = { files: 0 }
    assert.strictEqual(decideLoop(state([judged(1), judged(2, idle)]), 0).next._tag, "Round")
    const decision = decideLoop(state([judged(1), judged(2, idle), judged(3, idle)]), 0)
    assert.deepStrictEqual(decision.next, { _tag: "End", status: "stale" })
  })

  it("is stale after three equal failures, but not when they print nothing", () => {
    const equal = (feedback: string) => [1, 2, 3].map((round) => judged(round, { feedback }))
    assert.deepStrictEqual(decideLoop(state(equal("expected 1, got 2")), 0).next, { _tag: "End", status: "stale" })
    assert.strictEqual(decideLoop(state(equal(" \n")), 0).next._tag, "Round")
  })

  it("fails after three rounds in a row whose work failed", () => {
    const broken = { workError: "exit code 1" }
    const rounds = [judged(1, broken), judged(2), judged(3, broken), judged(4, broken)]
    assert.strictEqual(decideLoop(state(rounds), 0).next._tag, "Round")
    const decision = decideLoop(state([...rounds, judged(5, broken)]), 0)
    assert.deepStrictEqual(decision.next, { _tag: "End", status: "failed" })
  })

  it("ends when its money is spent or its time is over", () => {
    const rounds = [judged(1)]
    const spent = state(rounds, { rules: loopRules({ budgetUsd: 5 }), spentUsd: 5 })
    assert.deepStrictEqual(decideLoop(spent, 0).next, { _tag: "End", status: "budget" })
    const late = state(rounds, { rules: loopRules({ deadline: 1000 }) })
    assert.strictEqual(decideLoop(late, 999).next._tag, "Round")
    assert.deepStrictEqual(decideLoop(late, 1000).next, { _tag: "End", status: "deadline" })
  })

  it("pauses instead of the next round, but ends where it would have ended", () => {
    const paused = { pauseRequestedAt: 1 }
    assert.deepStrictEqual(decideLoop(state([judged(1)], paused), 0).next, { _tag: "Paused" })
    const passed = decideLoop(state([judged(1, { verdict: "pass" })], paused), 0)
    assert.deepStrictEqual(passed.next, { _tag: "End", status: "passed" })
  })

  it("is cancelled on request, whatever its last round says", () => {
    const cancelled = state([judged(1, { verdict: "pass" })], { cancelRequestedAt: 1 })
    assert.deepStrictEqual(decideLoop(cancelled, 0).next, { _tag: "End", status: "cancelled" })
  })
})

describe("a loop for a score", () => {
  const best = judged(1, { verdict: "pass", score: 5 })

  it("keeps a better round and starts from it", () => {
    const better = judged(2, { verdict: "pass", score: 3, kept: false })
    const decision = decideLoop(state([best, better], { rules: scored, bestScore: 5 }), 0)
    assert.deepStrictEqual(decision, { kept: true, next: { _tag: "Round", startCommit: "c2" } })
  })

  const others: ReadonlyArray<readonly [string, Partial<Judged>]> = [
    ["worse", { verdict: "pass", score: 6 }],
    ["equal", { verdict: "pass", score: 5 }],
    ["without a number", { verdict: "error", score: null }],
    ["failing", { verdict: "fail", score: null }],
    ["tampered", { verdict: "tampered", score: 0 }],
    ["not sealed", { verdict: "pass", score: 1, commit: null }]
  ]
  for (const [name, newest] of others) {
    it(`starts from the best round after one that is ${name}`, () => {
      const decision = decideLoop(
        state([best, judged(2, { ...newest, kept: false })], { rules: scored, bestScore: 5 }),
        0
      )
      assert.deepStrictEqual(decision, { kept: false, next: { _tag: "Round", startCommit: "c1" } })
    })
  }

  it("asks for more than the smallest difference", () => {
    const newest = judged(2, { verdict: "pass", score: 4.5, kept: false })
    const picky = { ...scored, minDelta: 0.5 }
    assert.isFalse(decideLoop(state([best, newest], { rules: picky, bestScore: 5 }), 0).kept)
    assert.isTrue(decideLoop(state([best, { ...newest, score: 4.4 }], { rules: picky, bestScore: 5 }), 0).kept)
  })

  it("ends at its target, where higher may be better", () => {
    const higher = { ...scored, better: "higher" as const, target: 10 }
    const newest = judged(2, { verdict: "pass", score: 10, kept: false })
    const decision = decideLoop(state([best, newest], { rules: higher, bestScore: 5 }), 0)
    assert.deepStrictEqual(decision.next, { _tag: "End", status: "target" })
  })

  it("is stale when its patience ends", () => {
    const patient = { ...scored, patience: 2 }
    const worse = (round: number) => judged(round, { verdict: "pass", score: 6, kept: false })
    const at = (rounds: ReadonlyArray<Judged>) => decideLoop(state(rounds, { rules: patient, bestScore: 5 }), 0).next
    assert.strictEqual(at([best, worse(2)])._tag, "Round")
    assert.deepStrictEqual(at([best, worse(2), worse(3)]), { _tag: "End", status: "stale" })
  })

  it("has reached its aim once it kept a round, however it ended", () => {
    assert.isTrue(isReached("exhausted", scored, 3))
    assert.isFalse(isReached("exhausted", scored, null))
    assert.isFalse(isReached("exhausted", loopRules(), null))
    assert.isFalse(isReached("cancelled", scored, 3))
  })
})

describe("any loop", () => {
  it("ends at its bound at the latest, and a round never starts from one that was not kept", () => {
    const round = fc.record({
      verdict: fc.constantFrom("pass" as const, "fail" as const, "error" as const, "tampered" as const),
      score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      files: fc.constantFrom(0, 1, 2),
      feedback: fc.option(fc.constantFrom("a", "b", "")),
      workError: fc.option(fc.constant("x"))
    })
    fc.assert(
      fc.property(fc.array(round, { maxLength: 12, minLength: 12 }), fc.boolean(), (outcomes, measures) => {
        const given = loopRules({ ...(measures ? { until: null, score: "s" } : {}), maxRounds: 8 })
        let rounds: ReadonlyArray<Judged> = []
        let bestScore: number | null = null
        for (const [index, outcome] of outcomes.entries()) {
          const newest = judged(index + 1, { ...outcome, kept: false })
          const { kept, next } = decideLoop(state([...rounds, newest], { rules: given, bestScore }), 0)
          if (kept) bestScore = newest.score
          rounds = [...rounds, { ...newest, kept }]
          if (next._tag === "End") return
          assert.isBelow(newest.round, 8)
          if (next._tag === "Round" && next.startCommit !== null) {
            assert.include(
              rounds.filter((one) => one.kept).map(({ commit }) => commit),
              next.startCommit
            )
          }
        }
        assert.fail("the loop did not end")
      })
    )
  })
})
