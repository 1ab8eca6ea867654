/** The schedule: what is to be started when, how it treats late and overlapping times, and the outcome of each time. */
import * as Schema from "effect/Schema"
import { NewPipeline, tasksOf as stepTasksOf } from "../pipeline/Pipeline.ts"
import { NewTask } from "../task/NewTask.ts"
import { Millis, PipelineId, TaskId, Timestamp, titleOf } from "../task/Task.ts"
import { ScheduleId } from "./ScheduleId.ts"

/** A name to call it by: 1 to 64 letters, digits and `_ . -`, beginning with a letter. */
export const ScheduleName = Schema.String.pipe(Schema.pattern(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/))

/** The shortest time between two fires of `every`. */
export const shortestEveryMs = 1000

/** When it fires. */
export const Timing = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("cron"), expression: Schema.NonEmptyString, timezone: Schema.NonEmptyString }),
  /** At `anchor` plus whole multiples: elapsed time, whatever the clocks of a zone do. */
  Schema.Struct({
    kind: Schema.Literal("every"),
    everyMs: Schema.Int.pipe(Schema.greaterThanOrEqualTo(shortestEveryMs)),
    anchor: Timestamp,
    timezone: Schema.NonEmptyString
  }),
  Schema.Struct({ kind: Schema.Literal("at"), at: Timestamp, timezone: Schema.NonEmptyString })
).annotations({ identifier: "Timing" })
export type Timing = typeof Timing.Type

/** What happens to times that no worker was running for: nothing, the last of them once, or each of them. */
export const MissedPolicy = Schema.Literal("skip", "run-once", "run-all")
export type MissedPolicy = typeof MissedPolicy.Type

/** What happens when a run is due while an earlier run has not ended. */
export const OverlapPolicy = Schema.Literal("skip", "queue", "cancel-previous", "allow")
export type OverlapPolicy = typeof OverlapPolicy.Type

/** `completed`: no time is left. `expired`: its last day has passed. Only `active` ones fire. */
export const ScheduleStatus = Schema.Literal("active", "paused", "completed", "expired", "cancelled")
export type ScheduleStatus = typeof ScheduleStatus.Type

/** What decides when and whether it fires. */
export const Rules = Schema.Struct({
  timing: Timing,
  missed: MissedPolicy,
  /** How late a time may be and still count as on time. */
  graceMs: Millis,
  overlap: OverlapPolicy,
  /** Each time is moved later by less than this, always by as much for the same time. */
  jitterMs: Millis,
  maxRuns: Schema.NullOr(Schema.Int.pipe(Schema.positive())),
  /** No time after this one. */
  expiresAt: Schema.NullOr(Timestamp),
  /** Each run waits for the success of that schedule's newest run. */
  follows: Schema.NullOr(ScheduleId)
})
export type Rules = typeof Rules.Type

export const Schedule = Schema.Struct({
  id: ScheduleId,
  seq: Schema.Int,
  name: Schema.NullOr(ScheduleName),
  /** What a run starts. */
  kind: Schema.Literal("task", "pipeline", "loop"),
  /** The first line of the prompt, or the pipeline's name. */
  title: Schema.String,
  /** Of the task, or of the first step. */
  agent: Schema.NonEmptyString,
  directory: Schema.String,
  ...Rules.fields,
  status: ScheduleStatus,
  /** Why it is paused, where it was not a person's wish alone. */
  reason: Schema.NullOr(Schema.String),
  /** The next time by the rule. */
  nextDueAt: Schema.NullOr(Timestamp),
  /** The same with jitter: when it fires. */
  nextFireAt: Schema.NullOr(Timestamp),
  /** Runs started by the clock, the ones that count for `maxRuns`. */
  runs: Schema.Int.pipe(Schema.nonNegative()),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  /** Who made it: a user name, a client, or `task <id>`. */
  createdBy: Schema.String,
  revision: Schema.Int.pipe(Schema.nonNegative())
}).annotations({ identifier: "Schedule" })
export type Schedule = typeof Schedule.Type

export const ExecutionStatus = Schema.Literal("running", "completed", "failed", "cancelled", "skipped", "missed")
export type ExecutionStatus = typeof ExecutionStatus.Type

/** What happened at one time, or for `missed` of several in a row. */
export const Execution = Schema.Struct({
  scheduleId: ScheduleId,
  /** The time by the rule. */
  dueAt: Timestamp,
  /** `manual`: a person ran it in addition to its regular times. */
  origin: Schema.Literal("time", "manual"),
  status: ExecutionStatus,
  reason: Schema.NullOr(Schema.String),
  /** When it was decided: fired, skipped, or seen to be missed. */
  at: Timestamp,
  /** Its task is an automatic retry's where there was one. */
  taskId: Schema.NullOr(TaskId),
  pipelineId: Schema.NullOr(PipelineId),
  endedAt: Schema.NullOr(Timestamp),
  /** The last of the times missed in a row; `dueAt` is the first. */
  untilAt: Schema.NullOr(Timestamp),
  /** How many due times this row covers, counted up to 200. */
  count: Schema.Int.pipe(Schema.positive())
}).annotations({ identifier: "Execution" })
export type Execution = typeof Execution.Type

/** What a run starts, with all that it needs captured when the schedule was made. */
export const Work = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("task"), task: NewTask }),
  /** Every step has its own task: none is taken over from another pipeline. */
  Schema.Struct({ kind: Schema.Literal("pipeline"), pipeline: NewPipeline })
).annotations({ identifier: "Work" })
export type Work = typeof Work.Type

/** The tasks of a run, a pipeline's in the order of its steps. */
export const tasksOf = (work: Work): ReadonlyArray<NewTask> =>
  work.kind === "task" ? [work.task] : stepTasksOf(work.pipeline)

/** What a list shows of the work. */
export const summaryOf = (work: Work): Pick<Schedule, "kind" | "title" | "agent" | "directory"> => {
  const [first] = tasksOf(work)
  const directory = first?.directory ?? ""
  if (work.kind === "pipeline") {
    return { kind: "pipeline", title: work.pipeline.name, agent: first?.agent ?? "", directory }
  }
  const step = work.task.launch.loop?.steps[0]
  return step === undefined
    ? { kind: "task", title: titleOf(work.task.prompt), agent: work.task.agent, directory }
    : { kind: "loop", title: titleOf(step.prompt), agent: step.agent ?? work.task.agent, directory }
}

/** A schedule as it is handed over. */
export interface NewSchedule extends Rules {
  readonly name: string | null
  readonly work: Work
  readonly createdBy: string
}

/** Executions kept for each schedule: the newest. */
export const keptExecutions = 200

export const defaultGraceMs = 300_000
