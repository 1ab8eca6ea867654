/** The pipeline file: its fields, written once for reading it and for its JSON Schema. */
import * as Schema from "effect/Schema"
import { fewestCandidates, mostCandidates } from "../contest/Contest.ts"
import { Better } from "../loop/Loop.ts"
import { LoopWords } from "../loop/LoopRequest.ts"
import { described, field, Name, oneOf, StepName, said, stepSettings, text, Variables, whole } from "./FileFields.ts"

/** Steps of one pipeline. */
export const maxSteps = 100

const Defaults = Schema.Struct(stepSettings).annotations({ identifier: "Defaults" })

const Times = whole(fewestCandidates, mostCandidates)

/** What candidates differ in. */
export const Matrix = Schema.Struct({
  agent: Schema.optional(Schema.Array(text("the name of an agent")).pipe(Schema.minItems(1))),
  model: Schema.optional(Schema.Array(Schema.NullOr(text("the name of a model"))).pipe(Schema.minItems(1)))
})

/** What decides which candidate is kept. */
export const Best = Schema.Struct({
  check: field(text("a shell command"), "A candidate passes only if this command exits with 0: npm test"),
  score: field(text("a shell command"), "The last number that this command prints ranks the candidates that pass"),
  better: field(oneOf(Better, Better.literals, "lower or higher"), "Which score is better")
})

/** One step. */
export const FileStep = Schema.Struct({
  name: field(StepName, "Else step-1, step-2, ... by its place"),
  prompt: described(text("what the agent is to do"), "What the agent is to do"),
  ...stepSettings,
  after: Schema.optional(
    Schema.Union(StepName, Schema.Array(StepName)).annotations({
      message: said("expected the name of a step, or a list of names"),
      description: "The steps this one follows, in place of those before it; [] starts immediately"
    })
  ),
  workspace: Schema.optional(
    Schema.Literal("own").annotations({
      message: said("expected own, or leave it out"),
      description: "own: its own workspace, cut from what the step before left, in a pipeline with isolate: true"
    })
  ),
  times: Schema.optional(
    described(Times, "This many candidates work side by side; the steps after it work on the one that is kept")
  ),
  matrix: Schema.optional(
    Matrix.annotations({ description: "In place of times: a candidate for each agent with each model" })
  ),
  best: Schema.optional(
    Best.annotations({ description: "With times or matrix: what decides which candidate is kept" })
  ),
  loop: Schema.optional(
    LoopWords.annotations({
      description: "In an isolated pipeline: repeat the step in rounds until a command, a score or a judge ends it"
    })
  ),
  gate: Schema.optional(
    Schema.Union(Schema.Boolean, Schema.Record({ key: Schema.String, value: Schema.Unknown })).annotations({
      message: said("expected true, or a JSON Schema"),
      description:
        "true: the answer has to end in PASS, and FAIL stops the steps after it. A JSON Schema: it has to allow the answer"
    })
  ),
  continueFrom: Schema.optional(
    Schema.Union(StepName, Schema.Literal(true)).annotations({
      message: said("expected the name of a step, or true for the one before"),
      description: "The step whose results go before the prompt; true is the step before"
    })
  )
}).annotations({ identifier: "Step" })
export type FileStep = typeof FileStep.Type

const Entry = Schema.Union(described(text("a prompt"), "A prompt alone"), FileStep)

/** The whole file without its steps: those are read one by one, so that each error has its own place. */
export const FileFrame = Schema.Struct({
  name: Schema.optional(Name.annotations({ description: "Else the name of the file" })),
  vars: Variables,
  isolate: Schema.optional(
    Schema.Boolean.annotations({
      message: said("expected true or false"),
      description: "Whether the steps work in a workspace that they share, so that the repository does not change"
    })
  ),
  setup: Schema.optional(
    described(text("a shell command"), "Runs in the workspace before all steps: npm ci. It needs isolate: true")
  ),
  defaults: Schema.optional(Defaults.annotations({ description: "For every step that says nothing else" })),
  steps: Schema.Array(Schema.Unknown).annotations({ message: said("expected a list of steps") })
})

/** What editors check a file against. */
export const PipelineFile = Schema.Struct({
  ...FileFrame.fields,
  $schema: Schema.optional(Schema.String),
  steps: Schema.Array(
    Schema.Union(Entry, Schema.Array(Entry).pipe(Schema.minItems(1)).annotations({ description: "Steps side by side" }))
  ).pipe(Schema.minItems(1), Schema.maxItems(maxSteps))
}).annotations({
  identifier: "Pipeline",
  title: "A Backbeat pipeline",
  description: "Steps that run one after the other; those in an inner list run side by side"
})
