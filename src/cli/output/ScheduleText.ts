/** Schedules and their executions as text for people. */
import type { Execution, ExecutionStatus, Schedule, ScheduleStatus } from "../../domain/schedule/Schedule.ts"
import type { ScheduleReport } from "../../programs/schedules/scheduleReport.ts"
import type { ServiceReport } from "../../programs/setup/Service.ts"
import { moment, relative, span } from "../../text/FormatDuration.ts"
import { timingText } from "../../text/timingText.ts"
import { type Style, type StyleName, stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"
import { type Pair, pairs } from "./pairs.ts"
import { plain } from "./TaskTable.ts"

const colours: Readonly<Record<ScheduleStatus | ExecutionStatus, StyleName>> = {
  active: "green",
  paused: "yellow",
  expired: "dim",
  running: "cyan",
  completed: "green",
  failed: "red",
  cancelled: "yellow",
  skipped: "dim",
  missed: "red"
}

const standingStyle = (status: ScheduleStatus | ExecutionStatus, screen: Screen): Style =>
  stylesOf(screen)[colours[status]]

const columns: ReadonlyArray<Column> = [
  { title: "ID" },
  { title: "NAME", shrinkTo: 8, dropAt: 2 },
  { title: "STATUS" },
  { title: "NEXT", dropAt: 4 },
  { title: "RUNS", align: "right", dropAt: 0 },
  { title: "WHEN", shrinkTo: 9, dropAt: 1 },
  { title: "WHAT", shrinkTo: 8 }
]

export const scheduleTable = (
  schedules: ReadonlyArray<Schedule>,
  now: number,
  screen: Screen
): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  return table(
    columns,
    schedules.map((schedule) => [
      { text: schedule.id, style: bold },
      { text: schedule.name ?? "" },
      { text: schedule.status, style: standingStyle(schedule.status, screen) },
      { text: schedule.nextFireAt === null ? "" : relative(schedule.nextFireAt, now) },
      { text: String(schedule.runs), style: dim },
      { text: plain(timingText(schedule.timing)), style: dim },
      { text: plain(schedule.title) }
    ]),
    screen.columns,
    dim
  )
}

const historyColumns: ReadonlyArray<Column> = [
  { title: "DUE" },
  { title: "STATUS" },
  { title: "LATE", align: "right", dropAt: 1 },
  { title: "TOOK", align: "right", dropAt: 2 },
  { title: "STARTED", dropAt: 3 },
  { title: "NOTE", shrinkTo: 8, dropAt: 0 }
]

const note = (execution: Execution): string => {
  const manual = execution.origin === "manual" ? "run by hand" : null
  const until = execution.untilAt === null || execution.count === 1 ? null : `until ${moment(execution.untilAt)}`
  return [manual, execution.reason, until].filter((one) => one !== null).join(", ")
}

export const historyTable = (
  executions: ReadonlyArray<Execution>,
  now: number,
  screen: Screen
): ReadonlyArray<string> => {
  const { dim } = stylesOf(screen)
  return table(
    historyColumns,
    executions.map((execution) => [
      { text: moment(execution.dueAt) },
      { text: execution.status, style: standingStyle(execution.status, screen) },
      { text: execution.at - execution.dueAt < 1000 ? "" : span(execution.at - execution.dueAt), style: dim },
      {
        text:
          execution.status === "skipped" || execution.status === "missed"
            ? ""
            : span((execution.endedAt ?? now) - execution.at)
      },
      { text: execution.taskId ?? execution.pipelineId ?? "" },
      { text: plain(note(execution)), style: dim }
    ]),
    screen.columns,
    dim
  )
}

/** `Tue 2026-11-24 09:00:00 (in 21h 4m)`, in local time. */
export const timeLine = (at: number, now: number): string => {
  const weekday = new Date(at).toLocaleDateString("en-US", { weekday: "short" })
  return `${weekday} ${moment(at)} (${relative(at, now)})`
}

const lastText = ({ last }: ScheduleReport, now: number): string | null => {
  if (last === null) return null
  const what = last.taskId ?? last.pipelineId
  return `${last.status} ${relative(last.endedAt ?? last.at, now)}${what === null ? "" : ` (${last.pipelineId === null ? "task" : "pipeline"} ${what})`}`
}

const missedWords = { skip: "skipped", "run-once": "the latest one runs", "run-all": "all of them run" } as const

export const describeSchedule = (report: ScheduleReport, now: number, screen: Screen): ReadonlyArray<string> => {
  const at = (time: number | null) => (time === null ? null : timeLine(time, now))
  const entries: ReadonlyArray<Pair> = [
    ["schedule", report.id],
    ["name", report.name],
    ["status", standingStyle(report.status, screen)(report.status)],
    ["reason", report.reason === null ? null : plain(report.reason)],
    ["problem", report.problem],
    ["when", plain(timingText(report.timing))],
    [
      report.status === "paused" ? "next if resumed" : "next",
      report.times.map((time) => timeLine(time, now)).join("\n") || null
    ],
    ["last", lastText(report, now)],
    ["open runs", report.open === 0 ? null : String(report.open)],
    ["runs", report.maxRuns === null ? String(report.runs) : `${report.runs} of ${report.maxRuns}`],
    ["expires", at(report.expiresAt)],
    ["missed", `${report.missed} (later than ${span(report.graceMs)}: ${missedWords[report.missed]})`],
    ["overlap", report.overlap],
    ["jitter", report.jitterMs === 0 ? null : `up to ${span(report.jitterMs)}`],
    ["after", report.follows],
    [
      "starts",
      `${report.kind === "pipeline" ? "a pipeline" : `a ${report.kind} for ${plain(report.agent)}`} in ${plain(report.directory)}`
    ],
    [report.kind === "pipeline" ? "pipeline" : "prompt", plain(report.title)],
    ["created", `${moment(report.createdAt)} by ${plain(report.createdBy)}`]
  ]
  return pairs(entries, screen)
}

/** One sentence on what a reboot means for schedules. */
export const survivalText = ({ advice, detail, survives }: ServiceReport): string => {
  const fact =
    survives === "yes"
      ? "Schedules survive a reboot"
      : survives === "after-login"
        ? "After a reboot, schedules continue once you log in"
        : "Schedules do not survive a reboot automatically"
  return `${fact}: ${detail}.${advice === null ? "" : `\n-> ${advice}`}`
}
