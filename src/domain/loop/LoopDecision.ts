/** What follows a round: the next one and where it starts, or the end of the loop. Both stores decide by it. */
import type { CommitId } from "../workspace/Workspace.ts"
import type { LoopRound, LoopRules, LoopStatus } from "./Loop.ts"

/** Rounds whose work failed, in a row, that end a loop. */
const mostFailures = 3

/** Rounds in a row that leave the tree as it was. */
const mostUnchanged = 2

/** Rounds in a row whose evaluations print the same failure. */
const mostEqualFailures = 3

/** The newest rounds that a decision looks at, apart from the first one and the newest that was kept. */
export const recentRounds = Math.max(mostFailures, mostUnchanged, mostEqualFailures)

type Judged = Pick<
  LoopRound,
  "round" | "verdict" | "score" | "kept" | "startCommit" | "commit" | "files" | "feedback" | "workError"
>

export interface LoopState {
  readonly rules: LoopRules
  readonly bestScore: number | null
  readonly spentUsd: number
  readonly pauseRequestedAt: number | null
  readonly cancelRequestedAt: number | null
  /** Rounds that have ended, the newest one last: at least `recentRounds` of them, the first, and the newest that was kept. */
  readonly rounds: ReadonlyArray<Judged>
}

export type NextStep =
  | { readonly _tag: "Round"; readonly startCommit: CommitId | null }
  /** The loop has room for a round, which `resume` stores. */
  | { readonly _tag: "Paused" }
  | { readonly _tag: "End"; readonly status: Exclude<LoopStatus, "running" | "paused"> }

interface LoopDecision {
  /** Whether later rounds may start from the newest one. */
  readonly kept: boolean
  readonly next: NextStep
}

/** Whether a score is better by more than `minDelta`. */
const isBetter = (
  { better, minDelta }: Pick<LoopRules, "better" | "minDelta">,
  score: number,
  best: number | null
): boolean => best === null || (better === "lower" ? best - score : score - best) > minDelta

const reaches = ({ better, target }: LoopRules, score: number) =>
  target !== null && (better === "lower" ? score <= target : score >= target)

/** The rounds at the end of the loop that have something in common. */
const last = (rounds: ReadonlyArray<Judged>, count: number, test: (round: Judged) => boolean) =>
  rounds.length >= count && rounds.slice(-count).every(test)

const isKept = ({ rules, bestScore }: LoopState, { commit, score, verdict }: Judged): boolean => {
  // What could not be sealed cannot be started from.
  if (commit === null || verdict === "tampered") return false
  // A condition that is not met yet is not a reason to discard work.
  return rules.score === null || (verdict === "pass" && score !== null && isBetter(rules, score, bestScore))
}

const newestKept = (before: ReadonlyArray<Judged>) => before.findLast(({ kept }) => kept)

const endOf = (state: LoopState, newest: Judged, kept: boolean, now: number) => {
  const { rounds, rules } = state
  if (state.cancelRequestedAt !== null) return "cancelled"
  if (rules.score === null && newest.verdict === "pass" && newest.commit !== null) return "passed"
  if (kept && newest.score !== null && reaches(rules, newest.score)) return "target"
  // Before the failures: work that the deadline has ended has not failed.
  if (rules.deadline !== null && now >= rules.deadline) return "deadline"
  if (last(rounds, mostFailures, ({ workError }) => workError !== null)) return "failed"
  if (rules.budgetUsd !== null && state.spentUsd >= rules.budgetUsd) return "budget"
  if (newest.round >= rules.maxRounds) return "exhausted"
  const since = kept ? 0 : newest.round - (newestKept(rounds.slice(0, -1))?.round ?? 0)
  if (rules.score !== null && rules.patience !== null && since >= rules.patience) return "stale"
  if (last(rounds, mostUnchanged, ({ files }) => files === 0)) return "stale"
  const isSameFailure = ({ feedback, verdict }: Judged) =>
    verdict !== "pass" && feedback !== null && feedback.trim() !== "" && feedback === newest.feedback
  return last(rounds, mostEqualFailures, isSameFailure) ? "stale" : null
}

/** With a score the next round starts from the best one, otherwise from the last one that was kept. */
const startOf = (rounds: ReadonlyArray<Judged>, newest: Judged, kept: boolean): CommitId | null =>
  kept ? newest.commit : (newestKept(rounds.slice(0, -1))?.commit ?? rounds[0]?.startCommit ?? null)

export const decideLoop = (state: LoopState, now: number): LoopDecision => {
  const newest = state.rounds.at(-1)
  if (newest === undefined) return { kept: false, next: { _tag: "Round", startCommit: null } }
  const kept = isKept(state, newest)
  const status = endOf(state, newest, kept, now)
  if (status !== null) return { kept, next: { _tag: "End", status } }
  if (state.pauseRequestedAt !== null) return { kept, next: { _tag: "Paused" } }
  return { kept, next: { _tag: "Round", startCommit: startOf(state.rounds, newest, kept) } }
}

/** Whether the loop has reached what it was for: the exit code of `beat wait`. */
export const isReached = (status: LoopStatus, { score }: Pick<LoopRules, "score">, bestScore: number | null): boolean =>
  status === "passed" || status === "target" || (score !== null && status !== "cancelled" && bestScore !== null)
