/** `beat loop PROMPT`: repeats a task in rounds until a command passes or a score is good enough. */
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidInput } from "../../../domain/Errors.ts"
import { Better, Loop, type LoopRules, mostRounds, standardRounds } from "../../../domain/loop/Loop.ts"
import { submitLoop } from "../../../programs/loops/submitLoop.ts"
import { submitterOf } from "../../../programs/tasks/submitter.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { boundOptions, judgeOptions, requireJudgement } from "../../input/LoopOptions.ts"
import { readGiven } from "../../input/Prompt.ts"
import { captureOptions, taskOptions } from "../../input/TaskOptions.ts"
import { choice, count, json, optionalText, parsed } from "../../input/Values.ts"
import { workOf } from "../../input/Work.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

const readNumber = (text: string): Either.Either<number, string> => {
  const value = Number(text)
  return text.trim() === "" || !Number.isFinite(value) ? Either.left(`'${text}' is not a number`) : Either.right(value)
}

const number = (name: string) => Options.text(name).pipe(Options.withPseudoName("number"), parsed(name, readNumber))

const options = Options.all({
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
    Options.withDefault(standardRounds),
    Options.withDescription(`Run at most this many rounds, at most ${mostRounds} (default: ${standardRounds})`)
  ),
  patience: count("patience", 1, mostRounds).pipe(
    Options.withDefault(null),
    Options.withDescription("End the loop after this many rounds in a row without a better score")
  ),
  samples: count("samples", 1, 15).pipe(
    Options.withDefault(1),
    Options.withDescription("Measure the score this many times and take the median (default: 1)")
  ),
  minDelta: number("min-delta").pipe(
    Options.withDefault(0),
    Options.withDescription("Count a score as better only by more than this (default: 0)")
  ),
  ...boundOptions,
  ...taskOptions,
  ...captureOptions,
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

const wrong = (problem: string) => new UsageError({ problem, hint: "'beat loop --help' shows how to use it." })

const rulesOf = Effect.fn("rulesOf")(function* (given: Given) {
  const { better, score, until } = given
  yield* requireJudgement("A loop", given)
  if (score !== null && better === null) return yield* wrong("--score needs --better lower or --better higher")
  if (score === null) {
    const stray = (["target", "patience", "better"] as const).find((name) => given[name] !== null)
    if (stray !== undefined) return yield* wrong(`--${stray} needs --score`)
    if (given.samples !== 1) return yield* wrong("--samples needs --score")
    if (given.minDelta !== 0) return yield* wrong("--min-delta needs --score")
  }
  if (given.minDelta < 0) {
    return yield* new InvalidInput({ field: "--min-delta", problem: "it is negative", example: "--min-delta 0.5" })
  }
  const now = yield* Clock.currentTimeMillis
  const rules: LoopRules = {
    until,
    score,
    judge: given.judge,
    better: better ?? "lower",
    target: given.target,
    maxRounds: given.max,
    patience: given.patience,
    deadline: given.for === null ? null : now + given.for,
    budgetUsd: given.budget,
    protect: given.protect,
    samples: given.samples,
    minDelta: given.minDelta,
    evaluationMs: given.evaluationTimeout
  }
  return rules
})

export const loopStart = command({
  name: "loop start",
  section: "tasks",
  summary: "Repeat a task in rounds until a command or a judge says that it is done",
  details:
    "'beat loop PROMPT' is short for 'beat loop start PROMPT'. Each round is a task of the agent and an evaluation. Only the commands of --until and --score and the answer of --judge decide, never what the agent of the work says. A loop always has a bound. The work happens in a workspace: your files do not change.",
  examples: [
    ['beat loop "make the tests pass" --until "npm test"', "at most 10 rounds"],
    [
      'beat loop "write the guide" --judge "A newcomer can follow it without asking" --judge-agent codex',
      "another agent reads each round and answers PASS or FAIL"
    ],
    [
      'beat loop "make it faster" --until "npm test" --score "node bench.js" --better lower --max 40 --for 8h',
      "the fastest version that passes the tests"
    ]
  ],
  options,
  args: promptArguments,
  completes: "none",
  run: Effect.fn("beat.loop.start")(function* (given, args) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const stores = yield* Stores
    const rules = yield* rulesOf(given)
    const submission = yield* workOf(given, yield* readGiven(wordsOf(args)))
    const { loop, problem, warnings } = yield* submitLoop(
      submission,
      rules,
      given.base ?? "HEAD",
      submitterOf(caller.environment),
      { judge: { agent: given.judgeAgent, model: given.judgeModel } }
    ).pipe(Effect.provide(stores.write))
    for (const warning of warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
    if (Option.isSome(problem)) {
      yield* terminal.say(`beat: the loop is stored, but no worker could be started: ${problem.value.message}`)
    }
    if (given.json) yield* printJson(Loop, loop)
    else {
      yield* terminal.print(loop.id)
      if (terminal.stdout.tty) yield* terminal.say(`To see its rounds: beat loop status ${loop.id}`)
    }
    return ExitCode.ok
  })
})
