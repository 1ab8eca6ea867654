/** `beat wait`: returns when tasks have ended or have reached a status. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Pipeline } from "../../../domain/pipeline/Pipeline.ts"
import { isTerminal, type TaskId, TaskStatus, TaskSummary } from "../../../domain/task/Task.ts"
import { waitForPipeline } from "../../../programs/pipelines/waitForPipeline.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { type Goal, standing, waitFor } from "../../../programs/tasks/wait.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode, exitCodeOf } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { resolveAll } from "../../input/References.ts"
import { choice, duration, json, task } from "../../input/Values.ts"
import { endingText } from "../../output/Ending.ts"
import { exitCodeOfPipeline } from "../../output/PipelineForeground.ts"
import { pipelineEnding } from "../../output/PipelineTable.ts"
import { activity, tally, withProgress } from "../../output/Progress.ts"
import { waiting } from "../../output/Waiting.ts"

/** What `--json` prints. */
export const WaitResult = Schema.Struct({
  /** In the order given, with their status at the end of the wait. */
  tasks: Schema.Array(TaskSummary),
  pipelines: Schema.Array(Pipeline),
  timedOut: Schema.Boolean
}).annotations({ identifier: "WaitResult" })

/** When waiting for the end: how the first failed task ended. For a status: how the first task that missed it ended. */
const codeOf = (tasks: ReadonlyArray<TaskSummary>, goal: Goal): ExitCode => {
  if (goal === "end") return tasks.map(exitCodeOf).find((code) => code !== ExitCode.ok) ?? ExitCode.ok
  const missed = tasks.find((task) => standing(task, goal) === "missed")
  if (missed === undefined) return ExitCode.ok
  const code = exitCodeOf(missed)
  return code === ExitCode.ok ? ExitCode.failed : code
}

/** With `any`, only tasks that reached the status count; if none did, all have missed it. */
const decisive = (tasks: ReadonlyArray<TaskSummary>, goal: Goal, any: boolean) => {
  const reached = tasks.filter((task) => standing(task, goal) === "reached")
  return any && reached.length > 0 ? reached : tasks
}

const isOver = ({ status }: { readonly status: TaskStatus }) => isTerminal(status)

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

export const wait = readOnlyCommand({
  name: "wait",
  section: "tasks",
  summary: "Wait until tasks or pipelines have ended",
  details:
    "Exits like the first task that did not succeed: 1 failed, 4 cancelled, 5 timed out, 75 usage limit. Exits with 124 when --timeout passes first; the tasks continue.",
  examples: [
    ["beat wait @last && beat result @last", "the newest task"],
    ["beat wait k3v9 x2m7 --any --timeout 10m", "until the first one ends, ten minutes at most"]
  ],
  options: Options.all({
    any: Options.boolean("any").pipe(
      Options.withDescription("Return when the first of them has ended or reached the status")
    ),
    timeout: duration("timeout").pipe(
      Options.withAlias("t"),
      Options.withDefault(null),
      Options.withDescription("Stop waiting after this time, with exit code 124")
    ),
    status: choice("status", TaskStatus.literals).pipe(
      Options.withDefault(null),
      Options.withDescription("Wait for this status instead of the end; fails when it cannot be reached any more")
    ),
    json
  }),
  args: task.pipe(Args.atLeast(1)),
  completes: "task",
  answer: () => "ending",
  run: Effect.fn("beat.wait")(function* (given, references) {
    const pipelines = yield* Pipelines
    const terminal = yield* Terminal
    const { pipelineIds, taskIds } = yield* resolveAll(references)
    if (given.status !== null && pipelineIds.length > 0) {
      return yield* new UsageError({
        problem: "--status works only with tasks",
        hint: "Wait for a pipeline without --status; the wait lasts until it has ended."
      })
    }
    const goal: Goal = given.status ?? "end"
    const served = yield* waiting(false)
    const { line, onRound } = yield* watching(taskIds)
    const waits = [
      ...(taskIds.length === 0 ? [] : [waitFor(taskIds, { ...served, goal, any: given.any, onRound })]),
      ...pipelineIds.map((id) => waitForPipeline(id, served))
    ]
    const over = (
      given.any ? Effect.raceAll(waits) : Effect.all(waits, { concurrency: "unbounded", discard: true })
    ).pipe(withProgress(pipelineIds.length === 0 ? line : Effect.succeed("not ended yet")))
    const timedOut = Option.isNone(
      yield* given.timeout === null ? Effect.asSome(over) : Effect.timeoutOption(over, given.timeout)
    )
    const now = yield* Effect.forEach(taskIds, latestAttempt)
    const whole = yield* Effect.forEach(pipelineIds, pipelines.get)
    if (given.json) yield* printJson(WaitResult, { tasks: now, pipelines: whole, timedOut })
    else {
      const one = given.any && !timedOut
      for (const entry of one ? decisive(now, goal, true) : now) {
        yield* terminal.print(`${entry.id} ${endingText(entry, terminal.stdout)}`)
      }
      for (const entry of one ? whole.filter(isOver) : whole) {
        yield* terminal.print(`${entry.id} ${pipelineEnding(entry, terminal.stdout)}`)
      }
    }
    if (timedOut) {
      const all = [...now, ...whole]
      const open = all.filter((entry) => !isOver(entry)).length
      const what = whole.length === 0 ? "tasks" : now.length === 0 ? "pipelines" : "tasks and pipelines"
      const running = open === 1 ? "is still running" : "are still running"
      yield* terminal.say(`beat: timed out; ${open} of ${all.length} ${what} ${running}`)
      return ExitCode.waitTimedOut
    }
    const ended = given.any ? whole.filter(isOver) : whole
    // The first of several waits to finish decides, so tasks that still run do not count.
    const counted = given.any && ended.length > 0 ? now.filter((entry) => standing(entry, goal) === "reached") : now
    const code = codeOf(decisive(counted, goal, given.any), goal)
    return code === ExitCode.ok ? (ended.map(exitCodeOfPipeline).find((each) => each !== ExitCode.ok) ?? code) : code
  }, Effect.scoped)
})
