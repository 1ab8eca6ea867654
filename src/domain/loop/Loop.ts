/** The loop: one prompt, tried in rounds until stored verdicts or its bounds end it. */
import * as Schema from "effect/Schema"
import { Goal, shareOf } from "../goal/Goal.ts"
import { type EndCause, isTerminal, Millis, TaskId, type TaskStatus, Timestamp } from "../task/Task.ts"
import { CommitId } from "../workspace/Workspace.ts"
import { LoopId } from "./LoopId.ts"

/** The most rounds that a loop may be given. There is no loop without a bound. */
export const mostRounds = 1000

/** The rounds of a loop that does not say how many. */
export const standardRounds = 10

/** The most steps of one round. */
export const mostSteps = 20

export const Better = Schema.Literal("lower", "higher")
export type Better = typeof Better.Type

/** A shell command that judges a round or measures it, or the words that an agent judges by. */
const Command = Schema.String.pipe(Schema.pattern(/\S/), Schema.maxLength(100_000))

/** What ends a loop, as captured when it was submitted: nothing that an agent can write changes it. */
export const LoopRules = Schema.Struct({
  /** The command whose exit code 0 says that a round is right. */
  until: Schema.NullOr(Command),
  /** The command that prints the score of a round. */
  score: Schema.NullOr(Command),
  /** What an agent judges a round by. A round passes when its answer ends in PASS. */
  judge: Schema.NullOr(Command),
  /** Which score is better. */
  better: Better,
  /** The score that ends the loop. */
  target: Schema.NullOr(Schema.Finite),
  maxRounds: Schema.Int.pipe(Schema.between(1, mostRounds)),
  /** End after this many rounds in a row without a better score. */
  patience: Schema.NullOr(Schema.Int.pipe(Schema.between(1, mostRounds))),
  /** No work of a round starts after this time, and what runs then is ended. */
  deadline: Schema.NullOr(Timestamp),
  /** US dollars, as the agents report their cost: no round starts once they are spent. */
  budgetUsd: Schema.NullOr(Schema.Finite.pipe(Schema.positive())),
  /** Git pathspecs: a round that changes a file that they match is `tampered`. */
  protect: Schema.Array(Schema.NonEmptyString).pipe(Schema.maxItems(100)),
  /** How often a score is measured; the median counts. */
  samples: Schema.Int.pipe(Schema.between(1, 15)),
  /** A score is better only by more than this. */
  minDelta: Schema.Finite.pipe(Schema.nonNegative()),
  /** Milliseconds that each evaluation may take, from its own start. */
  evaluationMs: Millis,
  /** Whether the work continues the session of the agent from the round before. */
  session: Schema.Boolean
}).annotations({ identifier: "LoopRules" })
export type LoopRules = typeof LoopRules.Type

/**
 * `running` and `paused` loops are open. `passed`: the command of `until` exited with 0, and the judge said PASS. `target`: the score was reached.
 * `stale`: nothing changes any more. `exhausted`: the rounds are used up. `failed`: the work itself failed three times in
 * a row.
 */
export const LoopStatus = Schema.Literal(
  "running",
  "paused",
  "passed",
  "target",
  "stale",
  "exhausted",
  "budget",
  "deadline",
  "cancelled",
  "failed"
)
export type LoopStatus = typeof LoopStatus.Type

export const isOpen = (status: LoopStatus): boolean => status === "running" || status === "paused"

/**
 * What the evaluations say of a round. `error`: they could not tell, because one crashed, timed out or printed no number.
 * `tampered`: the round changed a protected file.
 */
export const Verdict = Schema.Literal("pass", "fail", "error", "tampered")
export type Verdict = typeof Verdict.Type

/** One round: one task that works or several in their order, and tasks that evaluate what they left. */
export const LoopRound = Schema.Struct({
  /** From 1. */
  round: Schema.Int,
  /** The task that speaks for the work: what the round left is its result. */
  workTask: TaskId,
  /** The steps of the work, in their order. */
  workTasks: Schema.Array(TaskId),
  evaluationTasks: Schema.Array(TaskId),
  /** Null while the round runs. */
  verdict: Schema.NullOr(Verdict),
  /** Null where nothing was measured. */
  score: Schema.NullOr(Schema.Finite),
  /** Whether later rounds may start from it. */
  kept: Schema.Boolean,
  /** The commit that its workspace starts from; null is the base of the workspace. */
  startCommit: Schema.NullOr(CommitId),
  /** The commit that holds what it left. */
  commit: Schema.NullOr(CommitId),
  /** The tree of that commit: equal trees mean that nothing changed. */
  tree: Schema.NullOr(CommitId),
  /** Files that it changed against its start; null where that is not known. */
  files: Schema.NullOr(Schema.Int),
  /** The first protected file that it changed. */
  tampered: Schema.NullOr(Schema.String),
  /** The end of what the evaluations printed, at most 8 kB. */
  feedback: Schema.NullOr(Schema.String),
  /** Why the work of the round failed; null where it did not. */
  workError: Schema.NullOr(Schema.String),
  startedAt: Timestamp,
  endedAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "LoopRound" })
export type LoopRound = typeof LoopRound.Type

/** What a list shows of a loop. */
export const LoopSummary = Schema.Struct({
  id: LoopId,
  /** Order of arrival. */
  seq: Schema.Int,
  /** The first line of the prompt, at most 200 characters. */
  title: Schema.String,
  agent: Schema.NonEmptyString,
  /** Absolute path. */
  directory: Schema.String,
  status: LoopStatus,
  /** The newest round. */
  round: Schema.Int,
  maxRounds: Schema.Int,
  /** Tasks that work in each round. */
  steps: Schema.Int,
  /** The round with the best score. For a loop without a score, the newest round that was kept. */
  bestRound: Schema.NullOr(Schema.Int),
  bestScore: Schema.NullOr(Schema.Finite),
  /** US dollars, as far as its agents reported them; with a budget, `unpricedShare` for each unpriced run in addition. */
  spentUsd: Schema.Finite,
  /** Runs that ended whose tokens have no price. */
  unpriced: Schema.Int,
  /** The task of a schedule or of a pipeline step that waits for its end. */
  stepTask: Schema.NullOr(TaskId),
  /** What bounds the tree of its lead, where it is a goal. */
  goal: Schema.NullOr(Goal),
  pauseRequestedAt: Schema.NullOr(Timestamp),
  cancelRequestedAt: Schema.NullOr(Timestamp),
  createdAt: Timestamp,
  endedAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "LoopSummary" })
export type LoopSummary = typeof LoopSummary.Type

/** What a run whose tokens have no price counts of the budget: the share of a task of its tree, or of a round. */
export const unpricedShare = (
  budgetUsd: number | null,
  { goal, maxRounds, steps }: Pick<LoopSummary, "goal" | "maxRounds" | "steps">
): number => (goal === null ? (budgetUsd ?? 0) / (maxRounds * steps) : shareOf(goal))

/** What a step of a round is called and does. */
export const LoopStep = Schema.Struct({
  /** Null: the round has one step. */
  name: Schema.NullOr(Schema.String),
  agent: Schema.NonEmptyString,
  prompt: Schema.String
}).annotations({ identifier: "LoopStep" })
export type LoopStep = typeof LoopStep.Type

/** What a person has written as the work of a round. */
export const promptOf = (work: ReadonlyArray<LoopStep>): string => {
  const [first] = work
  if (work.length <= 1) return first?.prompt ?? ""
  return work
    .map(({ name, prompt }, index) => `Step ${index + 1} of ${work.length} (${name ?? index + 1}):\n${prompt}`)
    .join("\n\n")
}

/**
 * The session that a step of the next round continues. One whose task failed may be what it failed by, such as a context that
 * is full: the next round begins another.
 */
export const sessionToContinue = (
  { session }: Pick<LoopRules, "session">,
  before: { readonly status: TaskStatus; readonly sessionId: string | null } | null
): string | null => (session && before?.status === "completed" ? before.sessionId : null)

/** The task of a round that its result is found by. */
interface WorkTask {
  readonly taskId: TaskId
  readonly status: TaskStatus
  readonly cause: EndCause | null
}

/** The one that has to end next; after the round, the last one that could start. */
export const speaker = (work: ReadonlyArray<WorkTask>): WorkTask | undefined =>
  work.find(({ status }) => !isTerminal(status)) ??
  work.findLast(({ cause }) => cause !== "dependency-failed") ??
  work[0]

export const Loop = Schema.Struct({
  ...LoopSummary.fields,
  prompt: Schema.String,
  work: Schema.Array(LoopStep),
  rules: LoopRules,
  /** Oldest first. */
  rounds: Schema.Array(LoopRound)
}).annotations({ identifier: "Loop" })
export type Loop = typeof Loop.Type

/** The page after this one starts before `next`; null: there is none. */
export const LoopPage = Schema.Struct({
  loops: Schema.Array(LoopSummary),
  next: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "LoopPage" })
