/** A contest as it is handed over: its rules, and the tasks of each candidate. */
import * as Schema from "effect/Schema"
import { NewTask } from "../task/NewTask.ts"
import { ContestRules } from "./Contest.ts"

/** `setup` runs before the work; `check` and `score` evaluate what the work left. */
export const CandidateRole = Schema.Literal("setup", "work", "check", "score")
export type CandidateRole = typeof CandidateRole.Type

/** The tasks of one candidate in their order. Each starts when the one before it has completed. */
export const NewCandidate = Schema.Array(Schema.Struct({ role: CandidateRole, task: NewTask }))
export type NewCandidate = typeof NewCandidate.Type

export const NewContest = Schema.Struct({
  rules: ContestRules,
  prompt: Schema.String,
  /** Absolute path. */
  directory: Schema.String,
  candidates: Schema.Array(NewCandidate)
}).annotations({ identifier: "NewContest" })
export type NewContest = typeof NewContest.Type
