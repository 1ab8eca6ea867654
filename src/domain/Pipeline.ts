/** The pipeline: tasks with an order and a name, where it stands, and how it is handed over. */
import * as Schema from "effect/Schema"
import { DependencyPolicy, Labels, Millis, Priority } from "./Task.ts"

/** Something wrong in a pipeline file. Lines and columns count from 1. */
export const PipelineProblem = Schema.Struct({
  line: Schema.Int,
  column: Schema.Int,
  message: Schema.String,
  /** What to write instead. */
  hint: Schema.NullOr(Schema.String)
}).annotations({ identifier: "PipelineProblem" })
export type PipelineProblem = typeof PipelineProblem.Type

/** A step as it was written, checked: others are named by their place, from 0. */
export const PlannedStep = Schema.Struct({
  name: Schema.String,
  /** The entry of the list it stands in, from 0: steps with the same one are side by side. */
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
  continueFrom: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "PlannedStep" })
export type PlannedStep = typeof PlannedStep.Type

/** A pipeline file that was read and checked. */
export const PipelinePlan = Schema.Struct({
  name: Schema.String,
  steps: Schema.Array(PlannedStep)
}).annotations({ identifier: "PipelinePlan" })
export type PipelinePlan = typeof PipelinePlan.Type
