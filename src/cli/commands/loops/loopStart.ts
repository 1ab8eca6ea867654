/** `beat loop PROMPT`: repeats a task in rounds until a command passes or a score is good enough. */
import * as Options from "@effect/cli/Options"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Loop } from "../../../domain/loop/Loop.ts"
import { loopSteps } from "../../../programs/loops/loopSteps.ts"
import { ofOneStep, type RoundStep, submitLoop, type WantedLoop } from "../../../programs/loops/submitLoop.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { isLoopFile } from "../../framework/CommandTree.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { loopOptions, requestGiven, settingsGiven, wordsGiven } from "../../input/LoopOptions.ts"
import { loopFromFile, planOfLoop } from "../../input/PipelineInput.ts"
import { readGiven } from "../../input/Prompt.ts"
import { captureOptions, maxOutputOf, taskOptions } from "../../input/TaskOptions.ts"
import { json, pairs } from "../../input/Values.ts"
import { workOf } from "../../input/Work.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

const options = Options.all({
  ...loopOptions,
  var: pairs("var").pipe(Options.withDescription("Set a variable of the loop file; repeatable")),
  ...taskOptions,
  ...captureOptions,
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

const loopOfFile = Effect.fn("loopOfFile")(function* (given: Given, file: string) {
  const caller = yield* Caller
  const draft = yield* loopFromFile(file, given.var)
  const options = { source: file, words: wordsGiven(given), base: given.base, settings: yield* settingsGiven(given) }
  const plan = yield* planOfLoop(draft, options)
  const steps = yield* loopSteps(plan, { directory: caller.directory })
  const maxOutputBytes = yield* maxOutputOf(given.maxOutput)
  const captured = ({ name, work }: RoundStep): RoundStep => ({
    name,
    work: { ...work, maxOutputBytes, extra: given.env }
  })
  const wanted: WantedLoop = { request: plan.request, base: plan.base, steps: Arr.map(steps, captured) }
  return wanted
})

const loopOfPrompt = Effect.fn("loopOfPrompt")(function* (given: Given, words: ReadonlyArray<string>) {
  if (Object.keys(given.var).length > 0)
    return yield* new UsageError({ problem: "--var works only with a file", hint: "beat loop FILE.yaml --var a=b" })
  const request = yield* requestGiven(wordsGiven(given), "A loop")
  const work = yield* workOf(given, yield* readGiven(words))
  const wanted: WantedLoop = { request, base: given.base ?? "HEAD", steps: ofOneStep(work) }
  return wanted
})

export const loopStart = command({
  name: "loop start",
  section: "tasks",
  summary: "Repeat a task in rounds until a command or a judge says that it is done",
  details:
    "'beat loop PROMPT' is short for 'beat loop start PROMPT'; with FILE.yaml in place of the prompt the loop is read from that file, and options count in place of what it says. Each round is a task of the agent and an evaluation. Only the commands of --until and --score and the answer of --judge decide, never what the agent of the work says. A loop always has a bound. The work happens in a workspace: your files do not change.",
  examples: [
    ['beat loop "make the tests pass" --until "npm test"', "at most 10 rounds"],
    [
      'beat loop "write the guide" --judge "A newcomer can follow it without asking" --judge-agent codex',
      "another agent reads each round and answers PASS or FAIL"
    ],
    [
      'beat loop "make it faster" --until "npm test" --score "node bench.js" --better lower --max 40 --for 8h',
      "the fastest version that passes the tests"
    ],
    ["beat loop faster.yaml --max 3", "a loop that a file describes"]
  ],
  options,
  args: promptArguments,
  completes: "none",
  run: Effect.fn("beat.loop.start")(function* (given, args) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const stores = yield* Stores
    const words = wordsOf(args)
    const [first] = words
    const isFile = first !== undefined && words.length === 1 && isLoopFile(first)
    const wanted = yield* isFile ? loopOfFile(given, first) : loopOfPrompt(given, words)
    const { loop, problem, warnings } = yield* submitLoop(wanted, submitterOf(caller.environment)).pipe(
      Effect.provide(stores.write)
    )
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
