/** Judges a candidate by how its tasks ended, and decides which candidate is kept. */
import { type Evaluation, evaluate } from "../loop/Evaluation.ts"
import type { Verdict } from "../loop/Loop.ts"
import type { TerminalStatus } from "../task/Task.ts"
import type { Candidate, ContestRules, ContestStatus } from "./Contest.ts"

/** Work that did not complete fails whatever the files look like: unchanged files pass most checks. */
export const judgeCandidate = (
  work: TerminalStatus,
  evaluations: ReadonlyArray<Evaluation>,
  tampered: string | null
): { readonly verdict: Verdict; readonly score: number | null } =>
  work === "completed" ? evaluate(evaluations, tampered) : { verdict: "fail", score: null }

export type Judged = Pick<Candidate, "number" | "verdict" | "score" | "commit" | "files" | "insertions" | "deletions">

const linesOf = ({ deletions, insertions }: Judged) => (insertions ?? 0) + (deletions ?? 0)

const isUnchanged = ({ files }: Judged) => files === 0

/** Negative: `left` is kept rather than `right`. */
const compare =
  ({ better, score }: Pick<ContestRules, "better" | "score">) =>
  (left: Judged, right: Judged): number => {
    const measured = score !== null && left.score !== null && right.score !== null
    const gain = measured ? (better === "lower" ? left.score - right.score : right.score - left.score) : 0
    if (gain !== 0) return gain
    // A candidate that did nothing has the fewest changed lines.
    if (isUnchanged(left) !== isUnchanged(right)) return isUnchanged(left) ? 1 : -1
    return linesOf(left) - linesOf(right) || left.number - right.number
  }

interface ContestEnd {
  readonly status: Exclude<ContestStatus, "running">
  readonly winner: number | null
}

/**
 * Of the candidates that passed and can be merged: the best score, then one that changed something, then the fewest
 * changed lines, then the lowest number. Null while a candidate has no verdict.
 */
export const decideContest = (
  rules: Pick<ContestRules, "better" | "score">,
  candidates: ReadonlyArray<Judged>,
  cancelRequested: boolean
): ContestEnd | null => {
  if (candidates.some(({ verdict }) => verdict === null)) return null
  if (cancelRequested) return { status: "cancelled", winner: null }
  const [best] = candidates.filter(({ commit, verdict }) => verdict === "pass" && commit !== null).sort(compare(rules))
  return best === undefined ? { status: "failed", winner: null } : { status: "passed", winner: best.number }
}
