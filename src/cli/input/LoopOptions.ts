/** Options of commands that repeat work until it is right: what judges it, its bounds, and where it starts. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseMoney } from "../../domain/budgets/parseAmount.ts"
import { Better, mostRounds, standardRounds } from "../../domain/loop/Loop.ts"
import {
  type LoopRequest,
  type LoopWord,
  type LoopWords,
  loopRequest,
  wordProblem
} from "../../domain/loop/LoopRequest.ts"
import type { PlannedStep } from "../../domain/pipeline/PlannedStep.ts"
import { Directories } from "../../services/Directories.ts"
import { Caller } from "../framework/Caller.ts"
import { UsageError } from "../framework/UsageError.ts"
import { labelsOf, taskOptions } from "./TaskOptions.ts"
import { choice, count, duration, optionalText, parsed } from "./Values.ts"

/** The bounds on time and money, which end other things in a loop than in a goal. */
const timeAndMoney = (time: string, money: string) => ({
  for: duration("for").pipe(Options.withDefault(null), Options.withDescription(time)),
  budget: Options.text("budget").pipe(
    Options.withPseudoName("amount"),
    parsed("budget", parseMoney),
    Options.withDefault(null),
    Options.withDescription(money)
  )
})

/** Of a goal: its whole tree ends. */
export const goalBounds = timeAndMoney(
  "End the lead and everything below it after this time, e.g. 8h, and start no other lead",
  "End the lead and everything below it once the whole tree has cost this, e.g. 15usd, and start no other lead"
)

export const boundOptions = {
  ...timeAndMoney(
    "Start no round after this time, e.g. 8h, and end the work that is running then",
    "Start no round once its agents report this cost, e.g. 15usd"
  ),
  base: optionalText("base", "HEAD | tree | revision | id").pipe(
    Options.withDescription("Start at this commit (default: HEAD); tree takes uncommitted files along")
  ),
  protect: Options.text("protect").pipe(
    Options.withPseudoName("pathspec"),
    Options.repeated,
    Options.withDescription("Discard a round that changes a matching file, e.g. 'test/**'; repeatable")
  ),
  evaluationTimeout: duration("evaluation-timeout").pipe(
    Options.withDefault(null),
    Options.withDescription("End an evaluation after this time (default: 30m)")
  )
}

export const judgeOptions = {
  judge: optionalText("judge", "text").pipe(
    Options.withDescription(
      "Let an agent read each round, which passes when the answer ends in PASS, e.g. 'The guide is complete'"
    )
  ),
  judgeAgent: optionalText("judge-agent", "name").pipe(
    Options.withDescription("Judge with this agent (default: the agent of the work)")
  ),
  judgeModel: optionalText("judge-model", "name").pipe(
    Options.withDescription("Judge with this model of --judge-agent")
  )
}

const readNumber = (text: string): Either.Either<number, string> => {
  const value = Number(text)
  return text.trim() === "" || !Number.isFinite(value) ? Either.left(`'${text}' is not a number`) : Either.right(value)
}

const number = (name: string) => Options.text(name).pipe(Options.withPseudoName("number"), parsed(name, readNumber))

/** Everything that a loop takes. */
export const loopOptions = {
  until: optionalText("until", "command").pipe(
    Options.withDescription("End the loop when this shell command exits with 0, e.g. 'npm test'")
  ),
  score: optionalText("score", "command").pipe(
    Options.withDescription("Measure each round: the last number that this shell command prints")
  ),
  ...judgeOptions,
  better: choice("better", Better.literals).pipe(
    Options.withDefault(null),
    Options.withDescription("Say which score is better; required with --score")
  ),
  target: number("target").pipe(
    Options.withDefault(null),
    Options.withDescription("End the loop when the score reaches this number")
  ),
  max: count("max", 1, mostRounds).pipe(
    Options.withDefault(null),
    Options.withDescription(`Run at most this many rounds, at most ${mostRounds} (default: ${standardRounds})`)
  ),
  patience: count("patience", 1, mostRounds).pipe(
    Options.withDefault(null),
    Options.withDescription("End the loop after this many rounds in a row without a better score")
  ),
  samples: count("samples", 1, 15).pipe(
    Options.withDefault(null),
    Options.withDescription("Measure the score this many times and take the median (default: 1)")
  ),
  minDelta: number("min-delta").pipe(
    Options.withDefault(null),
    Options.withDescription("Count a score as better only by more than this (default: 0)")
  ),
  session: Options.boolean("session").pipe(
    Options.withDescription("Continue the agent's session of the round before (default: a new one in each round)")
  ),
  ...boundOptions
}

/** The words that were given as options. */
const given = (words: Readonly<Record<LoopWord, unknown>>): LoopWords =>
  Object.fromEntries(Object.entries(words).filter(([, value]) => value !== null && value !== undefined))

type Bounds = OptionsOf<typeof boundOptions>
type Judge = OptionsOf<typeof judgeOptions>
type OptionsOf<T> = { readonly [K in keyof T]: T[K] extends Options.Options<infer A> ? A : never }

interface Written extends Bounds, Judge {
  readonly until: string | null
  readonly score?: string | null
  readonly better?: Better | null
  readonly target?: number | null
  readonly max?: number | null
  readonly patience?: number | null
  readonly samples?: number | null
  readonly minDelta?: number | null
  readonly session?: boolean
}

export const wordsGiven = (options: Written): LoopWords =>
  given({
    until: options.until,
    score: options.score,
    judge: options.judge,
    judgeAgent: options.judgeAgent,
    judgeModel: options.judgeModel,
    better: options.better,
    target: options.target,
    max: options.max,
    patience: options.patience,
    samples: options.samples,
    minDelta: options.minDelta,
    for: options.for,
    budget: options.budget,
    protect: options.protect.length === 0 ? null : options.protect,
    evaluationTimeout: options.evaluationTimeout,
    session: options.session === true ? true : null
  })

const settingOptions = Options.all(taskOptions)
type Settings = typeof settingOptions extends Options.Options<infer A> ? A : never

/** What the options say for steps that say nothing else. */
export const settingsGiven = Effect.fn("settingsGiven")(function* (options: Settings) {
  const caller = yield* Caller
  const directories = yield* Directories
  const settings: Partial<PlannedStep> = {
    agent: options.agent,
    model: options.model,
    systemPrompt: options.systemPrompt,
    priority: options.priority ?? null,
    directory: options.directory === null ? null : yield* directories.resolve(options.directory, caller.directory),
    timeoutMs: options.timeout ?? null,
    stallMs: options.stall ?? null,
    labels: yield* labelsOf(options.label),
    retries: options.retries ?? null,
    backoffMs: options.backoff ?? null
  }
  return settings
})

/** `--min-delta` for `minDelta`. */
const optionOf = (word: LoopWord): string => `--${word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** Something other than the work itself has to decide. */
export const requestGiven = (words: LoopWords, subject: string): Effect.Effect<LoopRequest, UsageError> => {
  const wrong = wordProblem(words, subject, optionOf)
  return wrong === null
    ? Effect.succeed(loopRequest(words))
    : Effect.fail(new UsageError({ problem: wrong.problem, hint: wrong.hint }))
}
