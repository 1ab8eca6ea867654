/** The contest: one prompt that several candidates work on side by side, of which stored verdicts keep one. */
import * as Schema from "effect/Schema"
import { Better, LoopRules, Verdict } from "../loop/Loop.ts"
import { TaskId, TaskStatus, Timestamp } from "../task/Task.ts"
import { CommitId } from "../workspace/Workspace.ts"

/** Formed as a task's id is; each is looked up among its own kind. */
export const ContestId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, e.g. b7n2k3v9q4ab" }),
  Schema.brand("ContestId"),
  Schema.annotations({ identifier: "ContestId" })
)
export type ContestId = typeof ContestId.Type

export const fewestCandidates = 2
export const mostCandidates = 16

const { evaluationMs, protect, score, until } = LoopRules.fields

/** What decides, as captured when it was submitted: nothing that an agent can write changes it. */
export const ContestRules = Schema.Struct({
  /** The command whose exit code 0 says that a candidate is right. */
  check: until,
  /** The command that prints the score of a candidate. */
  score,
  /** Which score is better. */
  better: Better,
  /** Git pathspecs: a candidate that changes a file that they match is `tampered`. */
  protect,
  /** Milliseconds that each evaluation may take, from its own start. */
  evaluationMs
}).annotations({ identifier: "ContestRules" })
export type ContestRules = typeof ContestRules.Type

/** `passed`: one candidate is kept. `failed`: none passed. */
export const ContestStatus = Schema.Literal("running", "passed", "failed", "cancelled")
export type ContestStatus = typeof ContestStatus.Type

/** One task that works, and tasks that evaluate what it left, in one workspace. */
export const Candidate = Schema.Struct({
  /** From 1. */
  number: Schema.Int,
  workTask: TaskId,
  evaluationTasks: Schema.Array(TaskId),
  agent: Schema.NonEmptyString,
  model: Schema.NullOr(Schema.String),
  /** Of its work. */
  status: TaskStatus,
  /** Null while its work or its evaluation runs. `error`: the evaluations could not tell. `tampered`: it changed a protected file. */
  verdict: Schema.NullOr(Verdict),
  /** Null where nothing was measured. */
  score: Schema.NullOr(Schema.Finite),
  /** The first protected file that it changed. */
  tampered: Schema.NullOr(Schema.String),
  /** The commit that holds what it left; null before its end, and where it could not be sealed. */
  commit: Schema.NullOr(CommitId),
  /** Against the base of its workspace. */
  files: Schema.NullOr(Schema.Int),
  insertions: Schema.NullOr(Schema.Int),
  deletions: Schema.NullOr(Schema.Int),
  /** US dollars, as its agent reported them. */
  costUsd: Schema.NullOr(Schema.Finite),
  /** When its work started and ended. */
  startedAt: Schema.NullOr(Timestamp),
  endedAt: Schema.NullOr(Timestamp),
  /** The first of its tasks that failed: its output says why. */
  failedTask: Schema.NullOr(TaskId)
}).annotations({ identifier: "Candidate" })
export type Candidate = typeof Candidate.Type

export const Contest = Schema.Struct({
  id: ContestId,
  /** The first line of the prompt, at most 200 characters. */
  title: Schema.String,
  /** Absolute path. */
  directory: Schema.String,
  rules: ContestRules,
  status: ContestStatus,
  /** The number of the candidate that is kept. */
  winner: Schema.NullOr(Schema.Int),
  cancelRequestedAt: Schema.NullOr(Timestamp),
  createdAt: Timestamp,
  endedAt: Schema.NullOr(Timestamp),
  /** In the order of their numbers. */
  candidates: Schema.Array(Candidate)
}).annotations({ identifier: "Contest" })
export type Contest = typeof Contest.Type
