/** `beat run`: runs a task with an agent, in the background or in the foreground. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../../domain/Errors.ts"
import { submitContest } from "../../../programs/contests/submitContest.ts"
import { requireGroup } from "../../../programs/gates/requireGroup.ts"
import type { Submission } from "../../../programs/tasks/prepareTask.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { submitBatch } from "../../../programs/tasks/submitBatch.ts"
import { isolationOf } from "../../../programs/workspaces/isolationOf.ts"
import { placeWork } from "../../../programs/workspaces/placeWork.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { lineSubmission, readBatch, refusedLines } from "../../input/Batch.ts"
import { contestOptions, readContest } from "../../input/ContestOptions.ts"
import { placeWithSetup, submitPlaced } from "../../input/Place.ts"
import { type Given as Prompted, readGiven } from "../../input/Prompt.ts"
import {
  budgetOption,
  captureOptions,
  fallbackOf,
  groupOption,
  limitOptions,
  taskOptions
} from "../../input/TaskOptions.ts"
import { dependencies, duration, json, moment, optionalText } from "../../input/Values.ts"
import { workOf } from "../../input/Work.ts"
import { announceBatch, type BatchDocument } from "../../output/Batched.ts"
import { inForeground } from "../../output/Foreground.ts"
import { announce, announceContest } from "../../output/Submitted.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

const options = Options.all({
  foreground: Options.boolean("foreground").pipe(
    Options.withAlias("f"),
    Options.withDescription("Show the output and wait; Ctrl-C cancels the task, the exit code reports how it ended")
  ),
  ...taskOptions,
  ...captureOptions,
  ...limitOptions,
  group: groupOption,
  budget: budgetOption,
  after: dependencies("after").pipe(
    Options.withDescription(
      "Start when these tasks have completed; 'id:finished' accepts any outcome, 'id:failure' only a failure"
    )
  ),
  continueFrom: optionalText("continue-from", "id").pipe(
    Options.withDescription("Start when this task has completed, with its results before the prompt")
  ),
  isolate: Options.boolean("isolate").pipe(
    Options.withDescription("Work in a separate repository, cut from this one: nothing here changes until 'beat merge'")
  ),
  noIsolate: Options.boolean("no-isolate").pipe(
    Options.withDescription("Work in the directory itself, where the setting 'isolate' names it")
  ),
  base: optionalText("base", "HEAD | tree | revision | id").pipe(
    Options.withDescription(
      "Cut the workspace at this commit (default: HEAD); tree takes uncommitted files along, an id the result of a task"
    )
  ),
  in: optionalText("in", "id").pipe(
    Options.withDescription("Work in the workspace of this task, after the task has ended")
  ),
  setup: optionalText("setup", "command").pipe(
    Options.withDescription("Run this shell command in the workspace first, e.g. 'npm ci'")
  ),
  steer: Options.boolean("steer").pipe(
    Options.withDescription("Keep the agent's stdin open: it takes what 'beat send' says while it runs")
  ),
  ask: Options.boolean("ask").pipe(
    Options.withDescription("Let the agent ask you: its questions are in 'beat inbox', and a late answer continues it")
  ),
  approve: Options.boolean("approve").pipe(
    Options.withDescription(
      "The agent asks before it uses a tool: the setting agents.NAME.approve answers first, you see the rest"
    )
  ),
  askTimeout: duration("ask-timeout").pipe(
    Options.withDefault(undefined),
    Options.withDescription("Park the task when a question is open for this time (default: 10m, setting askParkMs)")
  ),
  ...contestOptions,
  batch: optionalText("batch", "file").pipe(
    Options.withDescription(
      "Store one task for each line of this file ('-': stdin), none if a line is wrong: a prompt, or a JSON object with a prompt and its own options"
    )
  ),
  notBefore: moment("not-before", "future").pipe(
    Options.withDefault(null),
    Options.withDescription("Start at this time, e.g. 2027-03-01T09:00 or 'tomorrow 9am', or after this delay, e.g. 2h")
  ),
  key: optionalText("key", "text").pipe(
    Options.withDescription("Idempotency key: submitting the same key again returns the existing task")
  ),
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

/** What the agent may ask a person. */
const askingOf = Effect.fn("run.asks")(function* (given: Pick<Given, "approve" | "ask" | "askTimeout" | "fallback">) {
  if (!given.ask && !given.approve) {
    if (given.askTimeout === undefined) return {}
    return yield* new UsageError({
      problem: "--ask-timeout needs --ask or --approve",
      hint: 'beat run --ask --ask-timeout 2m "..."'
    })
  }
  if (given.approve && given.fallback !== null) {
    return yield* new UsageError({
      problem: "--approve and --fallback cannot be combined: the other agent would not ask",
      hint: "Leave one of them out."
    })
  }
  return { asks: { permissions: given.approve, parkMs: given.askTimeout ?? null } }
})

const submissionOf = Effect.fn("submissionOf")(function* (given: Given, prompted: Prompted) {
  if (given.key !== null && (given.key.length < 1 || given.key.length > 256)) {
    return yield* new InvalidInput({ field: "--key", problem: "1 to 256 characters", example: null })
  }
  const submission: Submission = {
    ...(yield* workOf(given, prompted)),
    notBefore: given.notBefore,
    idempotencyKey: given.key,
    ...(given.steer ? { steer: true } : {}),
    ...(yield* askingOf(given)),
    fallback: yield* fallbackOf(given.fallback),
    ...(given.spare ? { spare: true } : {}),
    ...(given.budget === null ? {} : { budgetUsd: given.budget }),
    ...(given.onLimit === undefined ? {} : { onLimit: given.onLimit }),
    ...(given.giveUp === undefined ? {} : { giveUpMs: given.giveUp })
  }
  return submission
})

/** If neither the options nor a contest say whether the work is isolated, the setting decides. */
const withSetting = Effect.fn("run.isolate")(function* (given: Given, directory: string) {
  const { environment } = yield* Caller
  const open = !given.noIsolate && given.in === null && given.times === null
  const isolation = yield* isolationOf(directory, given.isolate || (open ? null : false), environment)
  return { ...given, isolate: isolation !== "none", isolation }
})

/** `--base`, `--in` and `--setup` say nothing without a workspace. */
const checkPlace = (given: Given) => {
  const isolated = given.isolate || given.times !== null
  const wrong = (problem: string, hint: string) => new UsageError({ problem, hint })
  if (given.noIsolate && isolated)
    return wrong("--no-isolate cannot be combined with --isolate or --times", "Leave one out.")
  if (given.in !== null && (given.isolate || given.base !== null)) {
    return wrong("--in cannot be combined with --isolate or --base", "The workspace of the task was cut before.")
  }
  if (given.base !== null && !isolated)
    return wrong("--base needs --isolate", `beat run --isolate --base ${given.base} "..."`)
  if (given.setup !== null && !isolated && given.in === null) {
    return wrong("--setup needs --isolate", 'beat run --isolate --setup "npm ci" "..."')
  }
  return given.setup !== null && given.setup.trim() === ""
    ? wrong("The command of --setup is empty", "e.g. --setup 'npm ci'")
    : Effect.void
}

/** With the group, and with the tasks that it waits for. */
const connected = Effect.fn("run.connect")(function* (submission: Submission, given: Given) {
  const tasks = yield* Tasks
  const group = yield* requireGroup(given.group)
  const continueFrom = given.continueFrom === null ? null : yield* tasks.resolve(given.continueFrom)
  const dependsOn = yield* Effect.forEach(given.after, ({ policy, reference }) =>
    Effect.map(tasks.resolve(reference), (upstream) => ({ upstream, policy }))
  )
  const work: Submission = { ...submission, group, continueFrom, dependsOn }
  return work
})

/** What belongs to one task alone has no place next to `--batch`. */
const checkBatch = (given: Given, words: ReadonlyArray<string>) => {
  const wrong = (what: string, hint: string) =>
    new UsageError({ problem: `--batch cannot be combined with ${what}`, hint })
  if (words.length > 0) return wrong("a prompt", "Each line of the file is the prompt of one task.")
  if (given.foreground) return wrong("--foreground", "beat wait $(beat run --batch FILE)")
  if (given.key !== null) return wrong("--key", 'Each line can have its own: {"prompt": "...", "key": "..."}')
  if (given.setup !== null) return wrong("--setup", "Put the command into the prompts, or write a pipeline file.")
  return given.times === null ? Effect.void : wrong("--times", "Start each contest with its own command.")
}

/** One task for each line. All lines are read, checked and placed before the first task is stored. */
const runBatch = Effect.fn("run.batch")(function* (given: Given, path: string) {
  const { environment } = yield* Caller
  const terminal = yield* Terminal
  const options = yield* submissionOf(given, { prompt: "", piped: null })
  const lines = yield* readBatch(path)
  const placeOf = yield* Effect.cachedFunction((directory: string) => withSetting(given, directory))
  yield* checkPlace(yield* placeOf(options.directory))
  const refused = refusedLines(terminal, path)
  const shared = yield* connected(options, given)
  const batch = yield* Effect.forEach(lines, ({ fields, line }) =>
    Effect.gen(function* () {
      const own = yield* lineSubmission(shared, fields)
      const { notes, work } = yield* placeWork(own, yield* placeOf(own.directory), environment)
      return { line, submission: work, notes }
    }).pipe(Effect.tapError(() => refused({ first: line, last: line, stored: 0 })))
  )
  const tasks: Array<BatchDocument["tasks"][number]> = []
  const result = yield* submitBatch(batch, submitterOf(environment), {
    refused,
    stored: (part) => {
      tasks.push(...part.map(({ created, line, task }) => ({ id: task.id, line, created })))
      return given.json ? Effect.void : terminal.print(part.map(({ task }) => task.id).join("\n"))
    }
  })
  const notes = new Set(batch.flatMap((one) => one.notes))
  return yield* announceBatch({ ...result, warnings: [...result.warnings, ...notes] }, tasks, given.json)
})

export const run = command({
  name: "run",
  section: "tasks",
  summary: "Run a task with an agent, in the background",
  details:
    "Stores the task safely, prints its id and returns. The task gets the current directory and environment. Everything after '--' belongs to the prompt. Piped input is appended to the prompt, unless the calling process reads the same stdin (a 'while read' loop); '-' after the prompt always appends it.",
  examples: [
    ['beat run "fix the failing test"', "with the default agent"],
    ["beat run -f -a shell 'npm test | tail -5'", "a shell command, in the foreground"],
    ['git diff | beat run "review this change"', "a prompt with piped input"],
    ["beat run - < prompt.md", "the prompt from a file"],
    ["beat run -a shell --after @last 'npm test'", "after the newest task has completed"],
    ['beat run --continue-from @last "now write the tests"', "continue with the results of the newest task"],
    ['beat run --ask -a claude "migrate the settings"', "it may ask you: beat inbox"],
    ['beat run --times 3 --best "npm test" "fix the bug"', "three candidates; one that passes is kept"],
    ["beat run -a shell --batch commands.txt", "one task for each line of a file"],
    ['id=$(beat run "...") && beat wait $id && beat result $id', "in a script"]
  ],
  options,
  args: promptArguments,
  completes: "none",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.run")(function* (written, args) {
    const caller = yield* Caller
    const stores = yield* Stores
    const words = wordsOf(args)
    if (written.batch !== null) {
      yield* checkBatch(written, words)
      return yield* Effect.provide(runBatch(written, written.batch), stores.write)
    }
    const submission = yield* submissionOf(written, yield* readGiven(words))
    const given = yield* withSetting(written, submission.directory)
    yield* checkPlace(given)
    const contest = yield* readContest(given)
    const withEdges = connected(submission, given)
    const submitter = submitterOf(caller.environment)
    if (contest !== null) {
      const entered = Effect.flatMap(withEdges, (work) => submitContest(work, contest, submitter))
      return yield* Effect.provide(
        Effect.flatMap(entered, (result) => announceContest(result, given.json)),
        stores.write
      )
    }
    const submitted = Effect.gen(function* () {
      const placed = yield* placeWithSetup(yield* withEdges, given)
      return yield* submitPlaced(placed, submitter)
    })
    if (given.foreground) return yield* Effect.provide(inForeground(submitted, given.json), stores.write)
    return yield* Effect.provide(
      Effect.flatMap(submitted, (result) => announce(result, given.json)),
      stores.write
    )
  })
})
