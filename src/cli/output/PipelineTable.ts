/** Pipelines and their steps as tables. */

import type { Pipeline, PipelineStep, PipelineSummary, StepStatus } from "../../domain/pipeline/Pipeline.ts"
import { isAsking } from "../../domain/task/isAsking.ts"
import { cutText } from "../../programs/reports/taskState.ts"
import { moment, relative, shortSpan, span } from "../../text/FormatDuration.ts"
import { stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"
import { pairs } from "./pairs.ts"
import { plain, statusStyle } from "./TaskTable.ts"

const statusText = ({ cancelRequestedAt, status }: PipelineSummary): string =>
  status === "running" && cancelRequestedAt !== null ? "ending" : status

/** `3/5`: how many of the steps have ended. */
export const progressOf = ({ counts }: PipelineSummary): string => {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
  return `${all - counts.queued - counts.running}/${all}`
}

const listColumns: ReadonlyArray<Column> = [
  { title: "ID" },
  { title: "STATUS" },
  { title: "STEPS", align: "right" },
  { title: "AGE", align: "right", dropAt: 1 },
  { title: "TOOK", align: "right", dropAt: 0 },
  { title: "NAME", shrinkTo: 8 }
]

export const pipelineTable = (
  pipelines: ReadonlyArray<PipelineSummary>,
  now: number,
  screen: Screen
): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  return table(
    listColumns,
    pipelines.map((pipeline) => [
      { text: pipeline.id, style: bold },
      { text: statusText(pipeline), style: statusStyle(pipeline.status, screen) },
      { text: progressOf(pipeline) },
      { text: shortSpan(now - pipeline.createdAt), style: dim },
      {
        text: pipeline.startedAt === null ? "" : shortSpan(Math.max(0, (pipeline.endedAt ?? now) - pipeline.startedAt))
      },
      { text: plain(pipeline.name) }
    ]),
    screen.columns,
    dim
  )
}

const stepStyle = (status: StepStatus, screen: Screen) =>
  status === "skipped" ? stylesOf(screen).dim : statusStyle(status, screen)

/** What it waits for or why it ended badly, in a few words. */
const noteOf = ({ after, contest, kept, policy, status, task }: PipelineStep, names: ReadonlyArray<string>): string => {
  if (kept) return "kept"
  if (status === "failed" && task.cause !== null) {
    if (task.cause === "rejected" && task.error !== null) return `rejected: ${cutText(task.error, 80)}`
    return task.cause === "exit" && task.exitCode !== null ? `exit ${task.exitCode}` : task.cause
  }
  if (isAsking(task)) return "needs input"
  if (status === "queued" && task.waitingOn > 0) {
    const until = policy === "success" ? "" : policy === "failure" ? " failed" : " ended"
    return `after ${after.map((place) => names[place] ?? "?").join(", ")}${until}`
  }
  if (contest !== null) return `candidates: beat status ${contest}`
  return task.attempt > 1 ? `attempt ${task.attempt}` : ""
}

const stepColumns: ReadonlyArray<Column> = [
  { title: "STEP", shrinkTo: 8 },
  { title: "STATUS" },
  { title: "TASK" },
  { title: "AGENT", dropAt: 2, shrinkTo: 6 },
  { title: "TOOK", align: "right", dropAt: 0 },
  { title: "NOTE", dropAt: 1, shrinkTo: 8 }
]

const stepTable = ({ steps }: Pipeline, now: number, screen: Screen): ReadonlyArray<string> => {
  const { dim } = stylesOf(screen)
  const names = steps.map(({ name }) => name)
  return table(
    stepColumns,
    steps.map((step) => [
      { text: plain(step.name) },
      { text: step.status, style: stepStyle(step.status, screen) },
      { text: step.task.id },
      { text: plain(step.task.agent) },
      {
        text:
          step.task.startedAt === null ? "" : shortSpan(Math.max(0, (step.task.endedAt ?? now) - step.task.startedAt))
      },
      { text: plain(noteOf(step, names)), style: dim }
    ]),
    screen.columns,
    dim
  )
}

/** All of one pipeline. */
export const describePipeline = (pipeline: Pipeline, now: number, screen: Screen): ReadonlyArray<string> => {
  const at = (time: number | null) => (time === null ? null : `${moment(time)} (${relative(time, now)})`)
  const { endedAt, startedAt } = pipeline
  return [
    ...pairs(
      [
        ["pipeline", pipeline.id],
        ["name", plain(pipeline.name)],
        ["status", statusStyle(pipeline.status, screen)(statusText(pipeline))],
        ["retry of", pipeline.retryOf],
        ["created", at(pipeline.createdAt)],
        ["started", at(startedAt)],
        ["ended", at(endedAt)],
        ["took", startedAt === null || endedAt === null ? null : span(Math.max(0, endedAt - startedAt))],
        ["cancelled by", pipeline.cancelledBy === null ? null : plain(pipeline.cancelledBy)],
        ["reason", pipeline.cancelReason === null ? null : plain(pipeline.cancelReason)],
        ["key", pipeline.idempotencyKey === null ? null : plain(pipeline.idempotencyKey)]
      ],
      screen
    ),
    "",
    ...stepTable(pipeline, now, screen)
  ]
}

/** `completed after 2m 5s`, `failed: test (exit 1)`, `cancelled by ann`. */
export const pipelineEnding = (pipeline: Pipeline, screen: Screen): string => {
  const styled = statusStyle(pipeline.status, screen)(pipeline.status)
  const failed = pipeline.steps.filter(({ status }) => status === "failed")
  if (pipeline.status === "failed") {
    const names = pipeline.steps.map(({ name }) => name)
    return `${styled}: ${failed.map((step) => `${plain(step.name)} (${plain(noteOf(step, names))}, task ${step.task.id})`).join(", ")}`
  }
  if (pipeline.status === "cancelled" && pipeline.cancelledBy !== null) {
    return `${styled} by ${plain(pipeline.cancelledBy)}${pipeline.cancelReason === null ? "" : `: ${plain(pipeline.cancelReason)}`}`
  }
  const { endedAt, startedAt } = pipeline
  return endedAt === null || startedAt === null ? styled : `${styled} after ${span(Math.max(0, endedAt - startedAt))}`
}
