/** The lines of a batch (`beat run --batch`): each is a prompt, or a JSON object with a prompt and the settings of its task. */
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { named } from "../Named.ts"
import { stepSettings } from "../pipeline/FileFields.ts"
import { keyProblem } from "../SchemaPlaces.ts"
import { expected, fieldProblems, innermost, ownRule, typeInWords, wantedTypes } from "../SchemaProblems.ts"

/** Tasks of one batch. */
export const mostLines = 10_000

const { delay: _delay, policy: _policy, ...settings } = stepSettings

const text = (what: string, longest: number) =>
  Schema.String.pipe(
    Schema.filter((value) => value.trim() !== "" && value.length <= longest && !value.includes("\0"), {
      message: () => `expected ${what}, not empty and without NUL characters`
    })
  )

/** What a JSON line may say. What it leaves out is what the options of the command say. */
export const BatchFields = Schema.Struct({
  prompt: text("what the agent is to do", Number.POSITIVE_INFINITY),
  ...settings,
  group: Schema.optional(text("the name of a group", 64)),
  env: Schema.optional(named(Schema.NonEmptyString, Schema.String)),
  key: Schema.optional(text("a key of 1 to 256 characters", 256))
})
export type BatchFields = typeof BatchFields.Type

/** A line with its number, from 1. */
interface BatchLine {
  readonly line: number
  readonly fields: BatchFields
}

interface BatchProblem {
  /** Null: the problem concerns more than one line. */
  readonly line: number | null
  readonly problem: string
}

const decodeFields = Schema.decodeUnknownEither(BatchFields, { errors: "first", onExcessProperty: "error" })
const parseJson = Schema.decodeUnknownEither(Schema.parseJson(Schema.Object))

const problemOf = (error: ParseResult.ParseError): string => {
  const [first] = innermost(fieldProblems(error))
  if (first === undefined) return "it is not the object that a line has to be"
  if (first.kind === "unexpected") {
    const problem = keyProblem(BatchFields.ast, first.path)
    if ("rule" in problem) return `${first.name}: ${problem.rule}`
    return `there is no field '${first.name}'. The fields are ${problem.names.join(", ")}`
  }
  return first.kind === "missing"
    ? `'${first.name}' is missing`
    : `${first.name}: ${ownRule(first) ?? expected(wantedTypes(first).map(typeInWords))}`
}

const jsonLine = (line: number, written: string): Either.Either<BatchLine, BatchProblem> =>
  Either.mapLeft(parseJson(written), () => "it is not a JSON object, as the first line is").pipe(
    Either.flatMap((value) => Either.mapLeft(decodeFields(value), problemOf)),
    Either.mapBoth({ onLeft: (problem) => ({ line, problem }), onRight: (fields) => ({ line, fields }) })
  )

/**
 * The lines of a text, without the empty ones. Where the first is a JSON object, all have to be; otherwise each is a prompt. A line
 * that is wrong makes all of it wrong.
 */
export const parseBatch = (batch: string): Either.Either<ReadonlyArray<BatchLine>, BatchProblem> => {
  const lines = batch
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((written, index) => ({ line: index + 1, written }))
    .filter(({ written }) => written.trim() !== "")
  const [first] = lines
  if (first === undefined) return Either.left({ line: null, problem: "there is no line with a prompt in it" })
  if (lines.length > mostLines) {
    return Either.left({ line: null, problem: `there are ${lines.length} prompts; a batch takes ${mostLines}` })
  }
  const isJson = Either.isRight(parseJson(first.written))
  return Either.all(
    lines.map(({ line, written }) =>
      isJson ? jsonLine(line, written) : Either.right({ line, fields: { prompt: written } })
    )
  )
}
