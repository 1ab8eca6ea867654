/** `beat wait`: returns when tasks have ended, or have reached a status. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { isTerminal, type TaskId, TaskStatus, TaskSummary } from "../../domain/Task.ts"
import { type Goal, standing, waitFor } from "../../programs/wait.ts"
import { Tasks } from "../../services/Tasks.ts"
import { readingCommand } from "../Command.ts"
import { ExitCode, exitCodeOf } from "../ExitCode.ts"
import { printJson } from "../Json.ts"
import { endingText } from "../output/Ending.ts"
import { activity, tally, withProgress } from "../output/Progress.ts"
import { waiting } from "../output/Waiting.ts"
import { Terminal } from "../Terminal.ts"
import { choice, duration, json, task } from "../Values.ts"

/** What `--json` prints. */
export const WaitResult = Schema.Struct({
  /** In the order given, as they stood when the wait was over. */
  tasks: Schema.Array(TaskSummary),
  timedOut: Schema.Boolean
}).annotations({ identifier: "WaitResult" })

/** For the end: how the first that failed did. For a status: how the first that missed it ended. */
const codeOf = (tasks: ReadonlyArray<TaskSummary>, goal: Goal): ExitCode => {
  if (goal === "end") return tasks.map(exitCodeOf).find((code) => code !== ExitCode.ok) ?? ExitCode.ok
  const missed = tasks.find((task) => standing(task, goal) === "missed")
  if (missed === undefined) return ExitCode.ok
  const code = exitCodeOf(missed)
  return code === ExitCode.ok ? ExitCode.failed : code
}

/** With `any`, only what got there counts; where nothing did, all have missed it. */
const decisive = (tasks: ReadonlyArray<TaskSummary>, goal: Goal, any: boolean) => {
  const reached = tasks.filter((task) => standing(task, goal) === "reached")
  return any && reached.length > 0 ? reached : tasks
}

const watching = Effect.fn("watching")(function* (ids: ReadonlyArray<TaskId>) {
  const tasks = yield* Tasks
  const [only, ...others] = ids
  const latest = yield* Ref.make<ReadonlyArray<TaskSummary>>([])
  const doing = only === undefined || others.length > 0 ? null : yield* activity(yield* tasks.summary(only))
  return {
    onRound: (now: ReadonlyArray<TaskSummary>) => Ref.set(latest, now),
    line: doing ?? Ref.get(latest).pipe(Effect.map(tally))
  }
})

export const wait = readingCommand({
  name: "wait",
  section: "tasks",
  summary: "Wait until tasks have ended",
  details:
    "Exits like the first task that did not succeed: 1 failed, 4 cancelled, 5 timed out, 75 on a usage limit; 124 when --timeout passed first, in which case the tasks go on.",
  examples: [
    ["beat wait @last && beat result @last", "the newest task"],
    ["beat wait k3v9 x2m7 --any --timeout 10m", "whichever ends first, ten minutes at most"]
  ],
  options: Options.all({
    any: Options.boolean("any").pipe(Options.withDescription("Return when the first of them is there")),
    timeout: duration("timeout").pipe(
      Options.withAlias("t"),
      Options.withDefault(null),
      Options.withDescription("Stop waiting after this time, with exit code 124")
    ),
    status: choice("status", TaskStatus.literals).pipe(
      Options.withDefault(null),
      Options.withDescription("Wait for this status instead of the end; fails when it is out of reach")
    ),
    json
  }),
  args: task.pipe(Args.atLeast(1)),
  completes: "task",
  run: Effect.fn("beat.wait")(function* (given, references) {
    const tasks = yield* Tasks
    const terminal = yield* Terminal
    const ids = Array.from(new Set(yield* Effect.forEach(references, tasks.resolve)))
    const goal: Goal = given.status ?? "end"
    const watched = yield* watching(ids)
    const { onRound, line } = watched
    const over = waitFor(ids, { ...(yield* waiting(false)), goal, any: given.any, onRound }).pipe(withProgress(line))
    const reached = yield* given.timeout === null ? Effect.asSome(over) : Effect.timeoutOption(over, given.timeout)
    const timedOut = Option.isNone(reached)
    const now = Option.isSome(reached) ? reached.value : yield* Effect.forEach(ids, tasks.summary)
    if (given.json) yield* printJson(WaitResult, { tasks: now, timedOut })
    else {
      const shown = given.any && !timedOut ? decisive(now, goal, true) : now
      for (const entry of shown) yield* terminal.print(`${entry.id} ${endingText(entry, terminal.stdout)}`)
    }
    if (timedOut) {
      const open = now.filter(({ status }) => !isTerminal(status)).length
      yield* terminal.say(`beat: the time is over; ${open} of ${now.length} tasks have not ended and go on`)
      return ExitCode.waitTimedOut
    }
    return codeOf(decisive(now, goal, given.any), goal)
  }, Effect.scoped)
})
