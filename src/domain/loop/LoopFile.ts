/** The loop file: the words of `beat loop`, and the steps of a round. */
import * as Schema from "effect/Schema"
import { described, field, StepName, said, stepSettings, text, Variables } from "../pipeline/FileFields.ts"
import { mostSteps } from "./Loop.ts"
import { loopWords } from "./LoopRequest.ts"

const { delay: _delay, policy: _policy, ...settings } = stepSettings
const { directory: _directory, ...inWorkspace } = settings

/** One step of each round. All of them work in the workspace of the loop. */
export const LoopFileStep = Schema.Struct({
  name: field(StepName, "Else step-1, step-2, ... by its place"),
  prompt: described(text("what the agent is to do"), "What the agent is to do"),
  ...inWorkspace,
  continueFrom: Schema.optional(
    Schema.Literal(true).annotations({
      message: said("expected true, or leave it out"),
      description: "true: the results of the step before go before the prompt"
    })
  )
}).annotations({ identifier: "LoopStep" })
export type LoopFileStep = typeof LoopFileStep.Type

/** The whole file without its steps: those are read one by one, so that each error has its own place. */
export const LoopFrame = Schema.Struct({
  vars: Variables,
  prompt: field(text("what the agent is to do"), "What each round does; or give it 'steps'"),
  base: field(text("HEAD, tree, a revision or a task"), "Where the workspace starts; else HEAD"),
  ...settings,
  ...loopWords,
  steps: Schema.optional(Schema.Array(Schema.Unknown).annotations({ message: said("expected a list of steps") }))
})

/** What `prompt` and the settings at the top of a file say. */
export type LoopFrame = typeof LoopFrame.Type

/** What editors check a file against. */
export const LoopFile = Schema.Struct({
  ...LoopFrame.fields,
  $schema: Schema.optional(Schema.String),
  steps: Schema.optional(
    Schema.Array(Schema.Union(described(text("a prompt"), "A prompt alone"), LoopFileStep))
      .pipe(Schema.minItems(1), Schema.maxItems(mostSteps))
      .annotations({ description: "The tasks of each round, one after the other; its evaluation follows the last" })
  )
}).annotations({
  identifier: "Loop",
  title: "A Backbeat loop",
  description: "Work that is repeated in rounds until a command, a score or a judge ends it"
})
