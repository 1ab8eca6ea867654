/** The lines of a batch (`beat run --batch`): each is a prompt, or a JSON object with a prompt and the settings of its task. */
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { isObject } from "../isObject.ts"
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
const parseJson = (written: string): Either.Either<unknown, string> =>
  Either.try({ try: (): unknown => JSON.parse(written), catch: String })

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

/** What a line that is not JSON is instead. The parser's own message quotes the prompt; of it only the place is said. */
const syntaxProblem = (written: string, error: string): string => {
  if (!/^\s*[{[]/.test(written)) return "it is not a JSON object, as the first line is"
  const [, position] = /position (\d+)/.exec(error) ?? []
  const place = position === undefined ? "" : ` at column ${Number(position) + 1}`
  return `it is not valid JSON${place}. Each line has to be one whole JSON object`
}

const objectOn = (written: string): Either.Either<object, string> =>
  Either.flatMap(
    Either.mapLeft(parseJson(written), (error) => syntaxProblem(written, error)),
    (value) => {
      if (isObject(value)) return Either.right(value)
      return Either.left(
        Array.isArray(value)
          ? "it is a JSON list. Write each task as one JSON object on its own line"
          : "it is not a JSON object, as the first line is"
      )
    }
  )

const jsonLine = (line: number, written: string): Either.Either<BatchLine, BatchProblem> =>
  objectOn(written).pipe(
    Either.flatMap((value) => Either.mapLeft(decodeFields(value), problemOf)),
    Either.mapBoth({ onLeft: (problem) => ({ line, problem }), onRight: (fields) => ({ line, fields }) })
  )

/**
 * Whether the lines are JSON, and not prompts: their first line is, or begins as only JSON does and has an error in it. A script may
 * begin with `{`, too: that is JSON if a line after it is.
 */
const areJson = ([first = "", ...others]: ReadonlyArray<string>): boolean => {
  const isJsonObject = (written: string) => isObject(Either.getOrNull(parseJson(written)))
  if (/^\s*(\{\s*"|\[\s*\{|[{[]\s*$)/.test(first) || isJsonObject(first)) return true
  if (/^\s*\[/.test(first)) return Either.isRight(parseJson(first))
  return /^\s*\{/.test(first) && others.some(isJsonObject)
}

/** The first key that two lines have. */
const sharedKey = (lines: ReadonlyArray<BatchLine>): BatchProblem | null => {
  const keys = new Map<string, number>()
  for (const { fields, line } of lines) {
    if (fields.key === undefined) continue
    const earlier = keys.get(fields.key)
    if (earlier !== undefined) return { line, problem: `line ${earlier} has the same key, '${fields.key}'` }
    keys.set(fields.key, line)
  }
  return null
}

/**
 * The lines of a text, without the empty ones. Where the lines are JSON (`areJson`), each has to be an object; otherwise each is a prompt. A line
 * that is wrong makes all of it wrong.
 */
export const parseBatch = (batch: string): Either.Either<ReadonlyArray<BatchLine>, BatchProblem> => {
  const lines = batch
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((written, index) => ({ line: index + 1, written }))
    .filter(({ written }) => written.trim() !== "")
  if (lines.length === 0) return Either.left({ line: null, problem: "there is no line with a prompt in it" })
  if (lines.length > mostLines) {
    return Either.left({ line: null, problem: `there are ${lines.length} prompts; a batch takes ${mostLines}` })
  }
  const isJson = areJson(lines.map(({ written }) => written))
  const parsed = Either.all(
    lines.map(({ line, written }) =>
      isJson ? jsonLine(line, written) : Either.right({ line, fields: { prompt: written } })
    )
  )
  return Either.flatMap(parsed, (all) => {
    const problem = sharedKey(all)
    return problem === null ? Either.right(all) : Either.left(problem)
  })
}
