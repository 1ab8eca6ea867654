/** The rules of a loop, with everything filled in that a test does not care about. */
import type { LoopRules } from "../../src/domain/loop/Loop.ts"

export const loopRules = (fields: Partial<LoopRules> = {}): LoopRules => ({
  until: "npm test",
  score: null,
  judge: null,
  better: "lower",
  target: null,
  maxRounds: 10,
  patience: null,
  deadline: null,
  budgetUsd: null,
  protect: [],
  samples: 1,
  minDelta: 0,
  session: false,
  evaluationMs: 600_000,
  ...fields
})

/** The round passes by its score, without a command of `until`. */
export const scoreRules = (fields: Partial<LoopRules> = {}): LoopRules =>
  loopRules({ until: null, score: "node bench.js", ...fields })
