/** What a loop is asked for in words: the same in options, in a file, in a pipeline step and in a schedule. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { parseMoney } from "../budgets/parseAmount.ts"
import { field, oneOf, orVariable, Span, said, text, whole } from "../pipeline/FileFields.ts"
import { Millis } from "../task/Task.ts"
import { Better, LoopRules, mostRounds, standardRounds } from "./Loop.ts"

/** Milliseconds that an evaluation may take unless the submitter says otherwise. */
export const standardEvaluationMs = 30 * 60_000

const mostSamples = 15

/** A number, or a text of one: what a variable leaves. */
const number = Schema.transform(Schema.Union(Schema.Number, Schema.NumberFromString), Schema.Finite, {
  strict: true,
  decode: (written) => written,
  encode: (value) => value
}).annotations({ message: said("expected a number"), jsonSchema: orVariable({ type: "number" }) })

const Money = Schema.transformOrFail(
  Schema.Union(Schema.String, Schema.Number).annotations({ message: said("expected an amount of money, e.g. 15usd") }),
  Schema.Finite,
  {
    strict: true,
    decode: (written, _, ast) =>
      Either.mapLeft(parseMoney(String(written)), (problem) => new ParseResult.Type(ast, written, problem)),
    encode: (usd) => Either.right(`${usd}usd`)
  }
).annotations({ jsonSchema: orVariable({ type: ["string", "number"] }) })

const Paths = Schema.Union(text("a pathspec"), Schema.Array(text("a pathspec")).pipe(Schema.maxItems(100))).annotations(
  { message: said("expected a git pathspec, for example test/**, or a list of at most 100 of them") }
)

/** The words of a file. What is left out is as without the option of that name. */
export const loopWords = {
  until: field(text("a shell command"), "Ends the loop when this command exits with 0: npm test"),
  judge: field(text("what to judge by"), "An agent judges each round by this text; its answer has to end in PASS"),
  judgeAgent: field(text("the name of an agent"), "Who judges; else the agent of the work"),
  judgeModel: field(text("the name of a model"), "The model of judgeAgent"),
  score: field(text("a shell command"), "The last number that this command prints is the score"),
  better: field(oneOf(Better, Better.literals, "lower or higher"), "Which score is better"),
  target: field(number, "The score that ends the loop"),
  max: field(whole(1, mostRounds), `The most rounds; ${standardRounds} unless it says otherwise`),
  patience: field(whole(1, mostRounds), "Rounds in a row without a better score that end the loop"),
  samples: field(whole(1, mostSamples), "How often the score is measured; the median counts"),
  minDelta: field(number, "A score is better only by more than this"),
  for: field(Span, "No round starts after this time: 8h"),
  budget: field(Money, "No round starts once this is spent: 15usd"),
  protect: field(Paths, "A round that changes a matching file is discarded: test/**"),
  session: field(
    Schema.Boolean.annotations({ message: said("expected true or false") }),
    "true: each round continues the agent's session of the round before"
  ),
  evaluationTimeout: field(Span, "An evaluation ends after this time; 30m unless it says otherwise")
}

export const LoopWords = Schema.Struct(loopWords).annotations({ identifier: "LoopWords" })
export type LoopWords = typeof LoopWords.Type
export type LoopWord = keyof LoopWords

/** Everything that decides the rounds of a loop which has not begun: `LoopRules`, with a length of time for its deadline. */
export const LoopRequest = Schema.Struct({
  ...LoopRules.omit("deadline").fields,
  /** Milliseconds from the start of the loop after which no round starts. */
  forMs: Schema.NullOr(Millis),
  /** Null is the agent of the work, with its model. */
  judgeAgent: Schema.NullOr(Schema.String),
  judgeModel: Schema.NullOr(Schema.String)
}).annotations({ identifier: "LoopRequest" })
export type LoopRequest = typeof LoopRequest.Type

/** What is wrong with words that are well formed one by one. */
interface WordProblem {
  /** Null: something is missing. */
  readonly word: LoopWord | null
  readonly problem: string
  readonly hint: string
}

/** Words that mean nothing where nothing is measured. */
const measuring = ["better", "target", "patience", "samples", "minDelta"] as const

/** `named`: a word as the submitter writes it, such as `--min-delta`. */
export const wordProblem = (
  words: LoopWords,
  subject: string,
  named: (word: LoopWord) => string
): WordProblem | null => {
  const example = `e.g. ${named("until")} "npm test"`
  const wrong = (word: LoopWord | null, problem: string, hint = example): WordProblem => ({ word, problem, hint })
  const empty = (["until", "score", "judge"] as const).find((word) => words[word]?.trim() === "")
  if (empty !== undefined) return wrong(empty, `${named(empty)}: it is empty`)
  if (words.until === undefined && words.score === undefined && words.judge === undefined) {
    return wrong(null, `${subject} needs ${named("until")}, ${named("score")} or ${named("judge")}`)
  }
  const needs = (word: LoopWord, other: LoopWord) => wrong(word, `${named(word)} needs ${named(other)}`)
  if (words.judge === undefined) {
    const stray = (["judgeAgent", "judgeModel"] as const).find((word) => words[word] !== undefined)
    if (stray !== undefined) return needs(stray, "judge")
  }
  if (words.judgeModel !== undefined && words.judgeAgent === undefined) return needs("judgeModel", "judgeAgent")
  if (words.score === undefined) {
    const stray = measuring.find((word) => words[word] !== undefined)
    if (stray !== undefined) return needs(stray, "score")
  } else if (words.better === undefined) {
    const which = Better.literals.map((literal) => `${named("better")} ${literal}`).join(" or ")
    return wrong("score", `${named("score")} needs ${which}`, "A score of time is better lower.")
  }
  if ((words.minDelta ?? 0) < 0) return wrong("minDelta", `${named("minDelta")}: it is negative`, "Write e.g. 0.5.")
  const tooShort = (["for", "evaluationTimeout"] as const).find((word) => words[word] === 0)
  if (tooShort !== undefined)
    return wrong(tooShort, `${named(tooShort)}: 0 is not a length of time for it`, "Write e.g. 30m.")
  return null
}

const listOf = (protect: LoopWords["protect"]): ReadonlyArray<string> =>
  protect === undefined ? [] : typeof protect === "string" ? [protect] : protect

/** Of words without a problem. */
export const loopRequest = (words: LoopWords): LoopRequest => ({
  until: words.until ?? null,
  score: words.score ?? null,
  judge: words.judge ?? null,
  judgeAgent: words.judgeAgent ?? null,
  judgeModel: words.judgeModel ?? null,
  better: words.better ?? "lower",
  target: words.target ?? null,
  maxRounds: words.max ?? standardRounds,
  patience: words.patience ?? null,
  forMs: words.for ?? null,
  budgetUsd: words.budget ?? null,
  protect: listOf(words.protect),
  samples: words.samples ?? 1,
  minDelta: words.minDelta ?? 0,
  evaluationMs: words.evaluationTimeout ?? standardEvaluationMs,
  session: words.session ?? false
})

/** What ends the loop, once it begins. */
export const loopRules = (
  { forMs, judgeAgent: _agent, judgeModel: _model, ...rules }: LoopRequest,
  now: number
): LoopRules => ({ ...rules, deadline: forMs === null ? null : now + forMs })
