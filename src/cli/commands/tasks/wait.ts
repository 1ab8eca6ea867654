/** `beat wait`: returns when tasks have ended or have reached a status. */

import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Contest } from "../../../domain/contest/Contest.ts"
import { Loop } from "../../../domain/loop/Loop.ts"
import { Pipeline } from "../../../domain/pipeline/Pipeline.ts"
import { isAsking } from "../../../domain/task/isAsking.ts"
import { isTerminal, type TaskId, TaskStatus, TaskSummary } from "../../../domain/task/Task.ts"
import { waitForContest } from "../../../programs/contests/waitForContest.ts"
import { resolveAll } from "../../../programs/groups/resolveAll.ts"
import { waitForLoop } from "../../../programs/loops/waitForLoop.ts"
import { waitForPipeline } from "../../../programs/pipelines/waitForPipeline.ts"
import { needInput } from "../../../programs/questions/needInput.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { type Goal, standing, waitFor } from "../../../programs/tasks/waitFor.ts"
import { Contests } from "../../../services/Contests.ts"
import { Loops } from "../../../services/Loops.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode, exitCodeOf } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { choice, duration, json, taskOr } from "../../input/Values.ts"
import { contestEnding, exitCodeOfContest } from "../../output/ContestTable.ts"
import { endingText } from "../../output/Ending.ts"
import { tellingParks } from "../../output/LimitText.ts"
import { exitCodeOfLoop, loopEnding } from "../../output/LoopTable.ts"
import { exitCodeOfPipeline } from "../../output/PipelineForeground.ts"
import { pipelineEnding } from "../../output/PipelineTable.ts"
import { activity, tally, withProgress } from "../../output/Progress.ts"
import { tellQuestions } from "../../output/QuestionText.ts"
import { waiting } from "../../output/waiting.ts"

/** What `--json` prints. */
export const WaitResult = Schema.Struct({
  /** In the order given, with their status at the end of the wait. */
  tasks: Schema.Array(TaskSummary),
  pipelines: Schema.Array(Pipeline),
  loops: Schema.Array(Loop),
  contests: Schema.Array(Contest),
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

/** A pipeline, a loop or a contest at the end of the wait. */
interface Whole {
  readonly id: string
  readonly over: boolean
  readonly text: string
  readonly code: ExitCode
}

const wholesOf = (
  pipelines: ReadonlyArray<Pipeline>,
  loops: ReadonlyArray<Loop>,
  contests: ReadonlyArray<Contest>,
  screen: Screen
): ReadonlyArray<Whole> => [
  ...pipelines.map((one) => ({
    id: one.id,
    over: isOver(one),
    text: pipelineEnding(one, screen),
    code: exitCodeOfPipeline(one)
  })),
  // A paused loop waits for a person, so the wait for it is over.
  ...loops.map((one) => ({
    id: one.id,
    over: one.status !== "running",
    text: loopEnding(one, screen),
    code: exitCodeOfLoop(one)
  })),
  ...contests.map((one) => ({
    id: one.id,
    over: one.status !== "running",
    text: contestEnding(one, screen),
    code: exitCodeOfContest(one)
  }))
]

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
  summary: "Wait until tasks, pipelines, loops or contests have ended",
  details:
    "Exits like the first task that did not succeed: 1 failed, 4 cancelled, 5 timed out, 6 dependency failed, 75 usage limit. Exits with 3 if there is no such task. Exits with 7 as soon as every task that is left asks a person (beat inbox). Exits with 124 when --timeout passes first, or with 75 if every task that is left waits for usage limits; the tasks continue.",
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
  args: taskOr("a pipeline, a loop, a goal or a contest").pipe(Args.atLeast(1)),
  completes: "task",
  answer: () => "ending",
  run: Effect.fn("beat.wait")(function* (given, references) {
    const pipelines = yield* Pipelines
    const terminal = yield* Terminal
    const { contestIds, loopIds, pipelineIds, taskIds } = yield* resolveAll(references)
    const groups = pipelineIds.length + loopIds.length + contestIds.length
    if (given.status !== null && groups > 0) {
      return yield* new UsageError({
        problem: "--status works only with tasks",
        hint: "Wait for a pipeline, a loop or a contest without --status; the wait lasts until it has ended."
      })
    }
    const goal: Goal = given.status ?? "end"
    const attempts = Effect.forEach(taskIds, latestAttempt)
    // What needs a person may never end. Pipelines, loops and contests have other parts that continue.
    const asksMatter = goal === "end" && groups === 0
    const before = groups === 0 ? yield* attempts : []
    // Scripts wait for what has ended long ago: then there is nothing to set up.
    const isPast = groups === 0 && before.every(isOver)
    const untilOver = Effect.gen(function* () {
      const served = yield* waiting(false)
      const { line, onRound } = yield* watching(taskIds)
      const waits = [
        ...(taskIds.length === 0 ? [] : [waitFor(taskIds, { ...served, goal, any: given.any, onRound })]),
        ...pipelineIds.map((id) => waitForPipeline(id, served)),
        ...loopIds.map((id) => waitForLoop(id, served)),
        ...contestIds.map((id) => waitForContest(id, served))
      ]
      yield* (given.any ? Effect.raceAll(waits) : Effect.all(waits, { concurrency: "unbounded", discard: true })).pipe(
        tellingParks(taskIds),
        (self) =>
          asksMatter
            ? Effect.raceFirst(
                self,
                Effect.catchAll(needInput(taskIds), () => Effect.never)
              )
            : self,
        withProgress(groups === 0 ? line : Effect.succeed("not ended yet"))
      )
    })
    const over = isPast ? Effect.void : untilOver
    const timedOut = Option.isNone(
      yield* given.timeout === null ? Effect.asSome(over) : Effect.timeoutOption(over, given.timeout)
    )
    const now = isPast ? before : yield* attempts
    const endedPipelines = yield* Effect.forEach(pipelineIds, pipelines.get)
    const endedLoops = yield* Effect.forEach(loopIds, (yield* Loops).get)
    const endedContests = yield* Effect.forEach(contestIds, (yield* Contests).get)
    const whole = wholesOf(endedPipelines, endedLoops, endedContests, terminal.stdout)
    if (given.json) {
      const ended = { pipelines: endedPipelines, loops: endedLoops, contests: endedContests }
      yield* printJson(WaitResult, { tasks: now, ...ended, timedOut })
    } else {
      const one = given.any && !timedOut
      for (const entry of one ? decisive(now, goal, true) : now) {
        yield* terminal.print(`${entry.id} ${endingText(entry, terminal.stdout)}`)
      }
      for (const { id, text } of one ? whole.filter(({ over }) => over) : whole) {
        yield* terminal.print(`${id} ${text}`)
      }
    }
    if (timedOut) {
      const all = now.length + whole.length
      const open = now.filter((entry) => !isOver(entry)).length + whole.filter(({ over }) => !over).length
      const kinds = [
        ...(taskIds.length === 0 ? [] : ["tasks"]),
        ...(pipelineIds.length === 0 ? [] : ["pipelines"]),
        ...(loopIds.length === 0 ? [] : ["loops"]),
        ...(contestIds.length === 0 ? [] : ["contests"])
      ]
      const what = kinds.join(" and ")
      const has = open === 1 ? "has" : "have"
      yield* terminal.say(`beat: timed out; ${open} of ${all} ${what} ${has} not ended`)
      const tasks = yield* Tasks
      const queued = now.filter(({ status }) => status === "queued")
      const limited = yield* Effect.filter(queued, ({ id }) => Effect.map(tasks.limitWait(id), Option.isSome))
      return open > 0 && limited.length === open ? ExitCode.usageLimit : ExitCode.waitTimedOut
    }
    if (asksMatter && now.some(isAsking) && now.every((one) => isOver(one) || isAsking(one))) {
      const failure = codeOf(now, goal)
      if (!given.json) yield* tellQuestions(now)
      return failure === ExitCode.ok ? ExitCode.needsInput : failure
    }
    const ended = given.any ? whole.filter(({ over }) => over) : whole
    // The first of several waits to finish decides, so tasks that still run do not count.
    const counted = given.any && ended.length > 0 ? now.filter((entry) => standing(entry, goal) === "reached") : now
    const code = codeOf(decisive(counted, goal, given.any), goal)
    return code === ExitCode.ok ? (ended.find((each) => each.code !== ExitCode.ok)?.code ?? code) : code
  }, Effect.scoped)
})
