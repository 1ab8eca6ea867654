/** `beat schedule list`, `status`, `history`, `pause`, `resume`, `cancel` and `run-now`. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Execution, Schedule, ScheduleStatus } from "../../../domain/schedule/Schedule.ts"
import { cancelRuns, cancelSchedule } from "../../../programs/schedules/cancelRuns.ts"
import { resumeSchedule, runSchedule } from "../../../programs/schedules/ScheduleChanges.ts"
import {
  History,
  SchedulePage,
  ScheduleReport,
  scheduleHistory,
  schedulePage,
  scheduleReport
} from "../../../programs/schedules/scheduleReport.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Schedules } from "../../../services/Schedules.ts"
import { Caller } from "../../framework/Caller.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { pageOptions } from "../../input/ListOptions.ts"
import { choices, json, optionalText } from "../../input/Values.ts"
import { withProgress } from "../../output/Progress.ts"
import { describeSchedule, historyTable, scheduleTable } from "../../output/ScheduleText.ts"
import { tellMore } from "../../output/tellMore.ts"
import { waiting } from "../../output/waiting.ts"
import { announceSchedule, schedule, warnWithoutWorker } from "./scheduleCreate.ts"

const live: ReadonlyArray<ScheduleStatus> = ["active", "paused"]

export const scheduleList = readOnlyCommand({
  name: "schedule list",
  section: "watch",
  summary: "List schedules, newest first",
  examples: [["beat schedule list --all", "including finished ones"]],
  options: Options.all({
    status: choices("status", "s", ScheduleStatus.literals).pipe(
      Options.withDescription("Show only schedules with this status; repeatable")
    ),
    all: Options.boolean("all").pipe(Options.withDescription("Include finished schedules")),
    ...pageOptions,
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.schedule.list")(function* (given) {
    const terminal = yield* Terminal
    const status = given.status.length > 0 || given.all ? given.status : live
    const page = yield* schedulePage({ status, limit: given.limit, before: given.before })
    if (given.json) {
      yield* printJson(SchedulePage, page)
      return ExitCode.ok
    }
    if (page.schedules.length === 0) {
      yield* terminal.say("No schedules. To create one: beat schedule create --help")
      return ExitCode.ok
    }
    yield* terminal.print(scheduleTable(page.schedules, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    yield* tellMore("--before", page.next)
    return ExitCode.ok
  })
})

export const scheduleStatus = readOnlyCommand({
  name: "schedule status",
  section: "watch",
  summary: "Show one schedule and its next runs",
  examples: [["beat schedule status nightly", "by its name"]],
  options: Options.all({ json }),
  args: Args.optional(schedule),
  completes: "schedule",
  run: Effect.fn("beat.schedule.status")(function* (given, reference) {
    const terminal = yield* Terminal
    const schedules = yield* Schedules
    const report = yield* scheduleReport(yield* schedules.resolve(Option.getOrElse(reference, () => "@last")))
    if (given.json) yield* printJson(ScheduleReport, report)
    else yield* terminal.print(describeSchedule(report, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    return ExitCode.ok
  })
})

export const scheduleHistoryCommand = readOnlyCommand({
  name: "schedule history",
  section: "watch",
  summary: "Show a schedule's past runs, newest first",
  details: "Backbeat keeps the newest 200 runs of each schedule.",
  examples: [["beat schedule history nightly -n 5", "the last five"]],
  options: Options.all({ ...pageOptions, json }),
  args: Args.optional(schedule),
  completes: "schedule",
  run: Effect.fn("beat.schedule.history")(function* (given, reference) {
    const terminal = yield* Terminal
    const schedules = yield* Schedules
    const id = yield* schedules.resolve(Option.getOrElse(reference, () => "@last"))
    const history = yield* scheduleHistory(id, given)
    if (given.json) {
      yield* printJson(History, history)
      return ExitCode.ok
    }
    if (history.executions.length === 0) {
      yield* terminal.say("No runs yet.")
      return ExitCode.ok
    }
    yield* terminal.print(historyTable(history.executions, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    yield* tellMore("--before", history.next)
    return ExitCode.ok
  })
})

export const schedulePause = readWriteCommand({
  name: "schedule pause",
  forPersons: "change schedules",
  section: "tasks",
  summary: "Pause a schedule",
  details:
    "Runs in progress continue. Nothing fires until 'beat schedule resume': times that pass until then do not run and are not in the history.",
  options: Options.all({
    reason: optionalText("reason", "text").pipe(Options.withDescription("Store this reason with the schedule")),
    json
  }),
  args: Args.all({ id: schedule }),
  completes: "schedule",
  run: Effect.fn("beat.schedule.pause")(function* (given, { id }) {
    const terminal = yield* Terminal
    const schedules = yield* Schedules
    const paused = yield* schedules.pause(yield* schedules.resolve(id), { reason: given.reason, revision: null })
    if (given.json) yield* printJson(Schedule, paused)
    else yield* terminal.print(`${paused.id} paused`)
    return ExitCode.ok
  })
})

export const scheduleResume = readWriteCommand({
  name: "schedule resume",
  forPersons: "change schedules",
  section: "tasks",
  summary: "Resume a paused schedule",
  details: "The next run is computed from now. Times that passed while it was paused do not run.",
  options: Options.all({ json }),
  args: Args.all({ id: schedule }),
  completes: "schedule",
  run: Effect.fn("beat.schedule.resume")(function* (given, { id }) {
    const schedules = yield* Schedules
    return yield* announceSchedule(yield* resumeSchedule(yield* schedules.resolve(id)), [], given.json)
  })
})

/** What `beat schedule cancel --json` prints. */
const ScheduleCancelled = Schema.Struct({
  schedule: Schedule,
  /** Runs that were in progress and were cancelled. */
  ended: Schema.Array(Execution)
}).annotations({ identifier: "ScheduleCancelled" })

export const scheduleCancel = readWriteCommand({
  name: "schedule cancel",
  forPersons: "change schedules",
  section: "tasks",
  summary: "Cancel a schedule permanently",
  details:
    "Runs in progress continue. With --cancel-tasks they are cancelled too, and the command returns when their processes have exited.",
  options: Options.all({
    cancelTasks: Options.boolean("cancel-tasks").pipe(Options.withDescription("Also cancel the runs in progress")),
    json
  }),
  args: Args.all({ id: schedule }),
  completes: "schedule",
  run: Effect.fn("beat.schedule.cancel")(function* (given, { id }) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const schedules = yield* Schedules
    const cancelled = yield* cancelSchedule(yield* schedules.resolve(id), given.cancelTasks)
    const submitter = submitterOf(caller.environment)
    const by = yield* nameOf(submitter)
    const ended = given.cancelTasks
      ? yield* cancelRuns(cancelled.id, by, submitter, yield* waiting(false)).pipe(
          withProgress(
            Effect.succeed("waiting for the processes to exit (Ctrl-C stops the waiting, not the cancelling)")
          )
        )
      : []
    if (given.json) yield* printJson(ScheduleCancelled, { schedule: cancelled, ended })
    else {
      const runs = ended.length === 0 ? "" : `, ${ended.length} run${ended.length === 1 ? "" : "s"} ended`
      yield* terminal.print(`${cancelled.id} cancelled${runs}`)
    }
    return ExitCode.ok
  })
})

export const scheduleRunNow = readWriteCommand({
  name: "schedule run-now",
  forPersons: "change schedules",
  section: "tasks",
  summary: "Run a schedule now, in addition to its regular times",
  details:
    "Prints the id of the new task or pipeline. The regular times and the run count of the schedule do not change.",
  options: Options.all({ json }),
  args: Args.all({ id: schedule }),
  completes: "schedule",
  run: Effect.fn("beat.schedule.run-now")(function* (given, { id }) {
    const terminal = yield* Terminal
    const schedules = yield* Schedules
    const { execution, served } = yield* runSchedule(yield* schedules.resolve(id))
    yield* warnWithoutWorker(served)
    if (given.json) yield* printJson(Execution, execution)
    else yield* terminal.print(execution.taskId ?? execution.pipelineId ?? "")
    return ExitCode.ok
  })
})
