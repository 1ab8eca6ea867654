/** `beat run`: runs a task with an agent, in the background or in the foreground. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { zeroIsNone } from "../../../domain/Duration.ts"
import { InvalidInput } from "../../../domain/Errors.ts"
import type { Submission } from "../../../programs/tasks/prepareTask.ts"
import { submit } from "../../../programs/tasks/submit.ts"
import { submitterOf } from "../../../programs/tasks/submitter.ts"
import { Directories } from "../../../services/Directories.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { type Given as Prompted, readGiven } from "../../input/Prompt.ts"
import { captureOptions, labelsOf, maxOutputOf, taskOptions } from "../../input/TaskOptions.ts"
import { dependencies, json, moment, optionalText } from "../../input/Values.ts"
import { inForeground } from "../../output/Foreground.ts"
import { announce } from "../../output/Submitted.ts"
import { promptArguments, wordsOf } from "../../PromptArguments.ts"

const options = Options.all({
  foreground: Options.boolean("foreground").pipe(
    Options.withAlias("f"),
    Options.withDescription("Show the output and wait; Ctrl-C cancels the task, the exit code reports how it ended")
  ),
  ...taskOptions,
  ...captureOptions,
  after: dependencies("after").pipe(
    Options.withDescription(
      "Start when these tasks have completed; 'id:finished' accepts any outcome, 'id:failure' only a failure"
    )
  ),
  continueFrom: optionalText("continue-from", "id").pipe(
    Options.withDescription("Start when this task has completed, with its results before the prompt")
  ),
  notBefore: moment("not-before", "future").pipe(
    Options.withDefault(null),
    Options.withDescription("Start at this time, e.g. 2027-03-01T09:00, or after this delay, e.g. 2h")
  ),
  key: optionalText("key", "text").pipe(
    Options.withDescription("Idempotency key: submitting the same key again returns the existing task")
  ),
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

const submissionOf = Effect.fn("submissionOf")(function* (given: Given, { piped, prompt }: Prompted) {
  const caller = yield* Caller
  const directories = yield* Directories
  if (given.key !== null && (given.key.length < 1 || given.key.length > 256)) {
    return yield* new InvalidInput({ field: "--key", problem: "1 to 256 characters", example: null })
  }
  const submission: Submission = {
    prompt,
    piped,
    agent: given.agent,
    model: given.model,
    systemPrompt: given.systemPrompt,
    priority: given.priority ?? "P1",
    directory: yield* directories.resolve(given.directory ?? caller.directory, caller.directory),
    timeoutMs: zeroIsNone(given.timeout),
    stallMs: zeroIsNone(given.stall),
    maxOutputBytes: yield* maxOutputOf(given.maxOutput),
    notBefore: given.notBefore,
    idempotencyKey: given.key,
    labels: yield* labelsOf(given.label),
    extra: given.env,
    retryOf: null,
    ...(given.retries === undefined ? {} : { maxRetries: given.retries }),
    ...(given.backoff === undefined ? {} : { backoffMs: given.backoff })
  }
  return submission
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
    ['id=$(beat run "...") && beat wait $id && beat result $id', "in a script"]
  ],
  options,
  args: promptArguments,
  completes: "none",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.run")(function* (given, args) {
    const caller = yield* Caller
    const stores = yield* Stores
    const submission = yield* submissionOf(given, yield* readGiven(wordsOf(args)))
    const submitted = Effect.gen(function* () {
      const tasks = yield* Tasks
      const continueFrom = given.continueFrom === null ? null : yield* tasks.resolve(given.continueFrom)
      const dependsOn = yield* Effect.forEach(given.after, ({ policy, reference }) =>
        Effect.map(tasks.resolve(reference), (upstream) => ({ upstream, policy }))
      )
      return yield* submit([{ ...submission, continueFrom, dependsOn }], submitterOf(caller.environment))
    })
    if (given.foreground) return yield* Effect.provide(inForeground(submitted, given.json), stores.write)
    return yield* Effect.provide(
      Effect.flatMap(submitted, (result) => announce(result, given.json)),
      stores.write
    )
  })
})
