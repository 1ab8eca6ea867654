/** `beat goal GOAL`: a lead that delegates, in rounds, until a command or a judge says that the goal is reached. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { most, standard } from "../../../domain/goal/Goal.ts"
import { Loop, mostRounds } from "../../../domain/loop/Loop.ts"
import { ofOneStep, submitLoop } from "../../../programs/loops/submitLoop.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { McpClients } from "../../../services/McpClients.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { boundOptions, goalBounds, judgeOptions, requestGiven, wordsGiven } from "../../input/LoopOptions.ts"
import { readGiven } from "../../input/Prompt.ts"
import { captureOptions, taskOptions } from "../../input/TaskOptions.ts"
import { count, json, optionalText } from "../../input/Values.ts"
import { workOf } from "../../input/Work.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

export const goalStart = command({
  name: "goal start",
  forPersons: "set a goal",
  section: "tasks",
  summary: "Reach a goal with a lead that delegates, until a command or a judge says that it is reached",
  details:
    "'beat goal GOAL' is short for 'beat goal start GOAL'. The lead is an agent with the tools of 'beat mcp start'. Its tasks work in workspaces that are cut from its own, and it merges them: you merge one result. The queue enforces the bounds, not the lead. Your files do not change.",
  examples: [
    ['beat goal "move from REST to tRPC" --until "npm test"', "at most 20 tasks, 3 at the same time"],
    [
      'beat goal "move from REST to tRPC" --until "npm test" --tasks 40 --running 5 --budget 25usd --for 6h',
      "with bounds on money and time"
    ]
  ],
  options: Options.all({
    until: optionalText("until", "command").pipe(
      Options.withDescription("The goal is reached when this shell command exits with 0, e.g. 'npm test'")
    ),
    ...judgeOptions,
    tasks: count("tasks", 1, most.tasks).pipe(
      Options.withDefault(standard.tasks),
      Options.withDescription(`Let the tree hold at most this many tasks below its lead (default: ${standard.tasks})`)
    ),
    running: count("running", 1, most.running).pipe(
      Options.withDefault(standard.running),
      Options.withDescription(`Run at most this many of them at the same time (default: ${standard.running})`)
    ),
    depth: count("depth", 1, most.depth).pipe(
      Options.withDefault(standard.depth),
      Options.withDescription(`Let tasks delegate this many levels below the lead (default: ${standard.depth})`)
    ),
    wakes: count("wakes", 0, most.wakes).pipe(
      Options.withDefault(standard.wakes),
      Options.withDescription(`Wake waiting tasks of the tree at most this often (default: ${standard.wakes})`)
    ),
    max: count("max", 1, mostRounds).pipe(
      Options.withDefault(standard.rounds),
      Options.withDescription(`Start at most this many leads, one after the other (default: ${standard.rounds})`)
    ),
    ...boundOptions,
    ...goalBounds,
    ...taskOptions,
    ...captureOptions,
    json
  }),
  args: promptArguments,
  completes: "none",
  run: Effect.fn("beat.goal.start")(function* (given, args) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const stores = yield* Stores
    const clients = yield* McpClients
    const request = yield* requestGiven(wordsGiven(given), "A goal")
    const submitter = submitterOf(caller.environment)
    const work = yield* workOf(given, yield* readGiven(wordsOf(args)))
    const { loop, problem, warnings } = yield* submitLoop(
      {
        request,
        base: given.base ?? "HEAD",
        steps: ofOneStep({ ...work, server: yield* clients.server }),
        goal: { maxTasks: given.tasks, maxRunning: given.running, maxDepth: given.depth, maxWakes: given.wakes }
      },
      submitter
    ).pipe(Effect.provide(stores.write))
    for (const warning of warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
    if (Option.isSome(problem)) {
      yield* terminal.say(`beat: the goal is stored, but no worker could be started: ${problem.value.message}`)
    }
    if (given.json) yield* printJson(Loop, loop)
    else {
      yield* terminal.print(loop.id)
      if (terminal.stdout.tty) yield* terminal.say(`To see its tasks: beat tree ${loop.id}`)
    }
    return ExitCode.ok
  })
})
