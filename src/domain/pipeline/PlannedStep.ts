/** A step of a pipeline or of a round as it was written and checked: what the submitter says is left open. */
import * as Schema from "effect/Schema"
import { ContestRules } from "../contest/Contest.ts"
import { LoopRequest } from "../loop/LoopRequest.ts"
import { DependencyPolicy, Labels, Millis, Priority } from "../task/Task.ts"
import { AnswerRule } from "./AnswerRule.ts"

/** The candidates of a step, and what decides among them. */
export const StepContest = Schema.Struct({
  /** Null is what the step says. */
  candidates: Schema.Array(Schema.Struct({ agent: Schema.NullOr(Schema.String), model: Schema.NullOr(Schema.String) })),
  ...ContestRules.pick("check", "score", "better").fields
}).annotations({ identifier: "StepContest" })
export type StepContest = typeof StepContest.Type

/** A step as it was written, checked: others are named by their place, from 0. */
export const PlannedStep = Schema.Struct({
  name: Schema.String,
  /** Index of the step's entry in the list, from 0. Steps of the same entry run in parallel. */
  stage: Schema.Int.pipe(Schema.nonNegative()),
  prompt: Schema.String,
  /** Null is what the settings or the submitter say, here and below. */
  agent: Schema.NullOr(Schema.String),
  model: Schema.NullOr(Schema.String),
  directory: Schema.NullOr(Schema.String),
  priority: Schema.NullOr(Priority),
  /** 0 is none. */
  timeoutMs: Schema.NullOr(Millis),
  /** 0 is off. */
  stallMs: Schema.NullOr(Millis),
  systemPrompt: Schema.NullOr(Schema.String),
  labels: Labels,
  retries: Schema.NullOr(Schema.Int),
  backoffMs: Schema.NullOr(Millis),
  /** Which end of the steps it follows lets it start. */
  policy: DependencyPolicy,
  after: Schema.Array(Schema.Int),
  /** The pause between their end and its start. */
  delayMs: Millis,
  continueFrom: Schema.NullOr(Schema.Int),
  /** `own`: it works in its own workspace, cut from what the step before left. Null: where the others work. */
  workspace: Schema.NullOr(Schema.Literal("own")),
  /** What its answer has to say; null: nothing. */
  gate: Schema.NullOr(AnswerRule),
  /** Several candidates work on its prompt, and the steps after it work on what is kept. Null: one task. */
  contest: Schema.NullOr(StepContest),
  /** What decides the rounds in which its prompt is worked on. Null: it is worked on once. */
  loop: Schema.NullOr(LoopRequest)
}).annotations({ identifier: "PlannedStep" })
export type PlannedStep = typeof PlannedStep.Type
