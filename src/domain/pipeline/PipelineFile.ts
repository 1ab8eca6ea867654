/** The pipeline file: its fields, written once for reading it and for its JSON Schema. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { fewestCandidates, mostCandidates } from "../contest/Contest.ts"
import { parseDuration } from "../Duration.ts"
import { Better } from "../loop/Loop.ts"
import { DependencyPolicy, Labels, MaxRetries, Millis, Priority } from "../task/Task.ts"

/** Steps of one pipeline. */
export const maxSteps = 100

/** What `${name}` may be called. */
export const variableName = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** Keys at the top of a file that mean nothing to Backbeat: a place for YAML anchors. */
export const extensionKey = /^x-/

/** A text that contains a variable, for fields whose values have their own format. */
const withVariable = { type: "string", pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_-]*\\}" }

/** The JSON Schema of a field as it may be written: as itself, or with a variable in it. */
const orVariable = (own: object) => ({ anyOf: [own, withVariable] })

/** One sentence for every way to miss it. */
const said = (sentence: string) => () => ({ message: sentence, override: true })

const text = (what: string) =>
  Schema.String.annotations({ message: () => `expected ${what}` }).pipe(
    Schema.filter((value) => value.trim() !== "" && !value.includes("\0"), {
      message: () => `expected ${what}, not empty and without NUL characters`,
      jsonSchema: { type: "string", minLength: 1, pattern: "\\S" }
    })
  )

const stepName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

export const StepName = Schema.String.pipe(
  Schema.pattern(stepName),
  Schema.annotations({
    message: said("expected a name of 1 to 64 letters, digits and `_ . -`, for example build"),
    jsonSchema: orVariable({ type: "string", pattern: stepName.source })
  })
)

const Span = Schema.transformOrFail(
  Schema.Union(Schema.String, Schema.Number).annotations({
    message: said("expected a length of time, for example 90s, 30m or 1h30m")
  }),
  Millis,
  {
    strict: true,
    decode: (written, _, ast) =>
      Either.mapLeft(parseDuration(String(written)), (problem) => new ParseResult.Type(ast, written, problem)),
    encode: (millis) => Either.right(`${millis}ms`)
  }
).annotations({
  jsonSchema: orVariable({
    type: ["string", "integer"],
    pattern: "^(0|([0-9]+(\\.[0-9]+)?(ms|[smhdw]))+)$",
    minimum: 0,
    maximum: 0
  })
})

/** A whole number, or a text of digits: what a variable leaves. */
const Retries = Schema.transform(Schema.Union(Schema.Number, Schema.NumberFromString), MaxRetries, {
  strict: true,
  decode: (written) => written,
  encode: (count) => count
}).annotations({
  message: said("expected a whole number from 0 to 20"),
  jsonSchema: orVariable({ type: "integer", minimum: 0, maximum: 20 })
})

const oneOf = <A extends string>(schema: Schema.Schema<A>, values: ReadonlyArray<A>, words: string) =>
  schema.annotations({ message: said(`expected ${words}`), jsonSchema: orVariable({ enum: values }) })

/** A JSON Schema annotation does not include the description automatically. */
const described = <A, I>(schema: Schema.Schema<A, I>, description: string): Schema.Schema<A, I> =>
  Option.match(AST.getJSONSchemaAnnotation(schema.ast), {
    onNone: () => schema.annotations({ description }),
    onSome: (own) => schema.annotations({ description, jsonSchema: { ...own, description } })
  })

const field = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optional(described(schema, description))

/** What a step may say, and `defaults` for all steps. */
export const stepSettings = {
  agent: field(text("the name of an agent"), "claude, codex, gemini, shell, ...; else the default agent"),
  model: field(text("the name of a model"), "Model, in the agent's own words"),
  directory: field(text("a path"), "Where the agent works, from the directory of the submitter; else there"),
  priority: field(
    oneOf(Priority, Priority.literals, "P0, P1 or P2"),
    "P0 starts before P1 (the default), P1 before P2"
  ),
  timeout: field(Span, "The step ends after this time: 30m; 0 is never"),
  stall: field(Span, "The step ends after this time without output or CPU use; 0 is never"),
  systemPrompt: field(text("a text"), "Added to the agent's instructions"),
  policy: field(
    oneOf(DependencyPolicy, DependencyPolicy.literals, "success, finished or failure"),
    "Which end of the steps before lets this one start: success (the default), finished (either way) or failure"
  ),
  delay: field(Span, "The pause between the end of the steps before and this one"),
  labels: field(Labels.annotations({ jsonSchema: { maxProperties: 32 } }), "Labels to find the tasks by"),
  retries: field(Retries, "Automatic attempts after one that failed"),
  backoff: field(Span, "The pause before the first of them; it doubles with each")
}

const Defaults = Schema.Struct(stepSettings).annotations({ identifier: "Defaults" })

/** How many candidates: a whole number, or a text of digits. */
const Times = Schema.transform(
  Schema.Union(Schema.Number, Schema.NumberFromString),
  Schema.Int.pipe(Schema.between(fewestCandidates, mostCandidates)),
  { strict: true, decode: (written) => written, encode: (count) => count }
).annotations({
  message: said(`expected a whole number from ${fewestCandidates} to ${mostCandidates}`),
  jsonSchema: orVariable({ type: "integer", minimum: fewestCandidates, maximum: mostCandidates })
})

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

export const Entry = Schema.Union(described(text("a prompt"), "A prompt alone"), FileStep)

const Name = text("a name").pipe(Schema.maxLength(200, { message: () => "expected at most 200 characters" }))

/** The whole file without its steps: those are read one by one, so that each error has its own place. */
export const FileFrame = Schema.Struct({
  name: Schema.optional(Name.annotations({ description: "Else the name of the file" })),
  vars: Schema.optional(
    Schema.Record({
      key: Schema.String.pipe(Schema.pattern(variableName)),
      value: Schema.NullOr(Schema.Union(Schema.String, Schema.Number, Schema.Boolean)).annotations({
        message: said("expected a text, a number, true or false; null where --var has to give it")
      })
    }).annotations({
      description: `Variables with their defaults, for \${name} in any text; null has to be given. $\${name} stays as it is`
    })
  ),
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
