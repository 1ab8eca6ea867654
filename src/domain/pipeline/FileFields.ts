/** The fields that files of pipelines and loops are made of, each with one sentence for every way to miss it. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { parseDuration } from "../Duration.ts"
import { DependencyPolicy, Labels, Millis, Priority } from "../task/Task.ts"

/** Files written by hand are smaller. */
export const maxFileBytes = 4 * 1024 * 1024

/** What `${name}` may be called. */
const variableName = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** Keys at the top of a file that mean nothing to Backbeat: a place for YAML anchors. */
export const extensionKey = /^x-/

/** A text that contains a variable, for fields whose values have their own format. */
const withVariable = { type: "string", pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_-]*\\}" }

/** The JSON Schema of a field as it may be written: as itself, or with a variable in it. */
export const orVariable = (own: object) => ({ anyOf: [own, withVariable] })

/** One sentence for every way to miss it. */
export const said = (sentence: string) => () => ({ message: sentence, override: true })

export const text = (what: string) =>
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

export const Span = Schema.transformOrFail(
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
export const whole = (minimum: number, maximum: number) =>
  Schema.transform(
    Schema.Union(Schema.Number, Schema.NumberFromString),
    Schema.Int.pipe(Schema.between(minimum, maximum)),
    { strict: true, decode: (written) => written, encode: (count) => count }
  ).annotations({
    message: said(`expected a whole number from ${minimum} to ${maximum}`),
    jsonSchema: orVariable({ type: "integer", minimum, maximum })
  })

const Retries = whole(0, 20)

export const oneOf = <A extends string>(schema: Schema.Schema<A>, values: ReadonlyArray<A>, words: string) =>
  schema.annotations({ message: said(`expected ${words}`), jsonSchema: orVariable({ enum: values }) })

/** A JSON Schema annotation does not include the description automatically. */
export const described = <A, I>(schema: Schema.Schema<A, I>, description: string): Schema.Schema<A, I> =>
  Option.match(AST.getJSONSchemaAnnotation(schema.ast), {
    onNone: () => schema.annotations({ description }),
    onSome: (own) => schema.annotations({ description, jsonSchema: { ...own, description } })
  })

export const field = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
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

export const Name = text("a name").pipe(Schema.maxLength(200, { message: () => "expected at most 200 characters" }))

export const Variables = Schema.optional(
  Schema.Record({
    key: Schema.String.pipe(Schema.pattern(variableName)),
    value: Schema.NullOr(Schema.Union(Schema.String, Schema.Number, Schema.Boolean)).annotations({
      message: said("expected a text, a number, true or false; null where --var has to give it")
    })
  }).annotations({
    description: `Variables with their defaults, for \${name} in any text; null has to be given. $\${name} stays as it is`
  })
)
