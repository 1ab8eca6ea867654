/** `beat logs`: what an agent printed. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isTerminal, type TaskId } from "../../../domain/task/Task.ts"
import { whileWorkerRuns } from "../../../programs/worker/ensureWorker.ts"
import { OutputStore } from "../../../services/OutputStore.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { emptiedWords } from "../../../text/Emptied.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { count, moment, task } from "../../input/Values.ts"
import { printOutput } from "../../output/Follow.ts"
import { withProgress } from "../../output/Progress.ts"
import { waiting } from "../../output/waiting.ts"

const tellOfRetry = Effect.fn("tellOfRetry")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const terminal = yield* Terminal
  const { retriedBy } = yield* tasks.summary(id)
  if (retriedBy !== null) yield* terminal.say(`beat: ${id} was retried: beat logs -f ${retriedBy}`)
})

/** If the writer truncated its own stream, the loss is unknown: at most what it wrote between two reads. */
const tellOfEmptied = Effect.fn("tellOfEmptied")(function* (id: TaskId) {
  const store = yield* OutputStore
  const terminal = yield* Terminal
  for (const line of emptiedWords(yield* store.streams(id))) yield* terminal.say(`beat: ${line}`)
})

export const logs = bareCommand({
  name: "logs",
  section: "tasks",
  summary: "Show what an agent printed, or the log of the workers",
  details:
    "Prints the agent's stdout to stdout, as text if its format is known, and its stderr to stderr. Removes control characters unless --raw is given. With --worker and without a task: what the workers in the background have logged, the last 100 lines if -n says nothing else.",
  examples: [
    ["beat logs -f @last", "follow the newest task to its end"],
    ["beat logs k3v9 -n 20", "the last 20 lines"],
    ["beat logs k3v9 --raw > output.jsonl", "the bytes as the agent printed them"],
    ["beat logs --worker -f", "follow the log of the workers"]
  ],
  options: Options.all({
    follow: Options.boolean("follow").pipe(
      Options.withAlias("f"),
      Options.withDescription("Follow the output until the task has ended")
    ),
    lines: count("lines", 0, 1_000_000).pipe(
      Options.withAlias("n"),
      Options.withDefault(null),
      Options.withDescription("Show only this many lines from the end")
    ),
    since: moment("since", "past").pipe(
      Options.withDefault(null),
      Options.withDescription("Show only output since this time, e.g. 2027-03-01T09:00, or from the last 10m")
    ),
    raw: Options.boolean("raw").pipe(Options.withDescription("Print the bytes exactly as the agent printed them")),
    worker: Options.boolean("worker").pipe(
      Options.withDescription("Show the log of the workers in the background; takes only -n and -f")
    ),
    stderr: Options.boolean("stderr").pipe(Options.withDescription("Print only the agent's stderr, to stdout")),
    json: Options.boolean("json").pipe(
      Options.withDescription("Print one JSON document for each chunk of output, with its bytes in base64")
    )
  }),
  args: Args.all({ id: Args.optional(task) }),
  completes: "task",
  run: Effect.fn("beat.logs")(function* (given, { id }) {
    if (given.worker) {
      return yield* new UsageError({ problem: "'logs' must be the first argument", hint: "beat logs --worker" })
    }
    if (Option.isNone(id)) {
      return yield* new UsageError({
        problem: "Missing argument <id>",
        hint: "beat logs @last, or: beat logs --worker"
      })
    }
    if (given.raw && given.json) {
      return yield* new UsageError({ problem: "--raw and --json cannot be combined", hint: null })
    }
    const tasks = yield* Tasks
    const terminal = yield* Terminal
    const found = yield* tasks.summary(yield* tasks.resolve(id.value))
    const print = printOutput({
      taskId: found.id,
      agent: found.agent,
      form: given.json ? "json" : given.raw ? "raw" : "text",
      streams: given.stderr ? "stderr" : "both",
      lines: given.lines,
      since: given.since,
      follow: given.follow
    })
    if (given.follow && !isTerminal(found.status)) {
      const standing = Effect.map(tasks.summary(found.id), ({ status }) => status)
      yield* whileWorkerRuns(print, yield* waiting(false)).pipe(withProgress(standing))
      yield* tellOfEmptied(found.id)
      yield* tellOfRetry(found.id)
      return ExitCode.ok
    }
    yield* print
    yield* tellOfEmptied(found.id)
    yield* tellOfRetry(found.id)
    const output = yield* OutputStore
    const streams = yield* output.streams(found.id)
    if (terminal.stderr.tty && streams.every(({ size }) => size === 0)) {
      yield* terminal.say(
        `${found.id} is ${found.status} and has printed nothing${isTerminal(found.status) ? "" : " yet"}`
      )
    }
    return ExitCode.ok
  })
})
