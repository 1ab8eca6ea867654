/** The pipeline: tasks with an order and a name, its status, and how it is submitted. */
import * as Schema from "effect/Schema"
import { ContestId } from "../contest/Contest.ts"
import { NewContest } from "../contest/NewContest.ts"
import { NewTask } from "../task/NewTask.ts"
import { PipelineId, TaskId, TaskStatus, TaskSummary, Timestamp } from "../task/Task.ts"
import { PlannedStep } from "./PlannedStep.ts"

/** Something wrong in a pipeline file. Lines and columns count from 1. */
export const PipelineProblem = Schema.Struct({
  line: Schema.Int,
  column: Schema.Int,
  message: Schema.String,
  /** What to write instead. */
  hint: Schema.NullOr(Schema.String)
}).annotations({ identifier: "PipelineProblem" })
export type PipelineProblem = typeof PipelineProblem.Type

/** A pipeline file that was read and checked. */
export const PipelinePlan = Schema.Struct({
  name: Schema.String,
  /** Whether the steps work in a workspace that they share. */
  isolate: Schema.Boolean,
  /** The command of the setup, which is a step too: it also runs in the workspace of each candidate. */
  setup: Schema.NullOr(Schema.String),
  steps: Schema.Array(PlannedStep)
}).annotations({ identifier: "PipelinePlan" })
export type PipelinePlan = typeof PipelinePlan.Type

/** The status of a step: that of its task, or `skipped` for a task that was cancelled because its dependency can never be met. */
export const StepStatus = Schema.Literal("queued", "running", "completed", "failed", "cancelled", "skipped")
export type StepStatus = typeof StepStatus.Type

export const stepStatusOf = ({ cause, status }: Pick<TaskSummary, "status" | "cause">): StepStatus =>
  status === "cancelled" && cause === "dependency-failed" ? "skipped" : status

/** How many steps have each status. */
export const StepCounts = Schema.Struct({
  queued: Schema.Int,
  running: Schema.Int,
  completed: Schema.Int,
  failed: Schema.Int,
  cancelled: Schema.Int,
  skipped: Schema.Int
})
export type StepCounts = typeof StepCounts.Type

/** What a list shows of a pipeline. Its status is derived from its steps on every read. */
export const PipelineSummary = Schema.Struct({
  id: PipelineId,
  /** Order of arrival, over all processes. */
  seq: Schema.Int,
  name: Schema.String,
  status: TaskStatus,
  counts: StepCounts,
  /** The pipeline that this one retries. */
  retryOf: Schema.NullOr(PipelineId),
  idempotencyKey: Schema.NullOr(Schema.String),
  createdAt: Timestamp,
  /** When the first step that this pipeline created started. */
  startedAt: Schema.NullOr(Timestamp),
  endedAt: Schema.NullOr(Timestamp),
  cancelRequestedAt: Schema.NullOr(Timestamp),
  cancelReason: Schema.NullOr(Schema.String),
  /** The user, the client or the task (`task <id>`) that asked for the cancel. */
  cancelledBy: Schema.NullOr(Schema.String)
}).annotations({ identifier: "PipelineSummary" })
export type PipelineSummary = typeof PipelineSummary.Type

export const PipelinePage = Schema.Struct({
  pipelines: Schema.Array(PipelineSummary),
  /** What the next page begins before; null when there is none. */
  next: Schema.NullOr(Schema.Int)
}).annotations({ identifier: "PipelinePage" })
export type PipelinePage = typeof PipelinePage.Type

/** Places of other steps, from 0. */
const Places = Schema.Array(Schema.Int.pipe(Schema.nonNegative()))

export const PipelineStep = Schema.Struct({
  ...PlannedStep.pick("name", "stage", "policy", "delayMs", "gate").fields,
  /** Its place among the steps, from 0. */
  position: Schema.Int.pipe(Schema.nonNegative()),
  after: Places,
  continueFrom: Schema.NullOr(Schema.Int),
  status: StepStatus,
  /** The contest whose kept candidate its task hands on. */
  contest: Schema.NullOr(ContestId),
  /** Its task was completed by the pipeline that this one retries. */
  kept: Schema.Boolean,
  /** Its newest attempt. */
  task: TaskSummary
}).annotations({ identifier: "PipelineStep" })
export type PipelineStep = typeof PipelineStep.Type

/** The whole pipeline. */
export const Pipeline = Schema.Struct({
  ...PipelineSummary.fields,
  steps: Schema.Array(PipelineStep)
}).annotations({ identifier: "Pipeline" })
export type Pipeline = typeof Pipeline.Type

/** A step as it is handed over. */
export const NewPipelineStep = Schema.Struct({
  ...PipelineStep.pick("name", "stage", "policy", "delayMs", "after", "continueFrom", "gate").fields,
  /**
   * The task to store, or one that another pipeline has completed. Among the tasks to store, `dependsOn` and
   * `continueFrom` count them as members in the order of their steps.
   */
  work: Schema.Union(NewTask, Schema.Struct({ kept: TaskId })),
  /** Its tasks count as members after those of all steps, and the task in `work` waits for them. */
  contest: Schema.optionalWith(NewContest, { exact: true })
})
export type NewPipelineStep = typeof NewPipelineStep.Type

/** A pipeline as it is handed over, with everything it will need captured. */
export const NewPipeline = Schema.Struct({
  name: Schema.String,
  steps: Schema.Array(NewPipelineStep),
  retryOf: Schema.NullOr(PipelineId),
  idempotencyKey: Schema.NullOr(Schema.String.pipe(Schema.minLength(1), Schema.maxLength(256)))
}).annotations({ identifier: "NewPipeline" })
export type NewPipeline = typeof NewPipeline.Type

export const isKept = (work: NewPipelineStep["work"]): work is { readonly kept: TaskId } => "kept" in work

export const contestTasksOf = ({ candidates }: NewContest): ReadonlyArray<NewTask> =>
  candidates.flatMap((tasks) => tasks.map(({ task }) => task))

/** The tasks that a pipeline brings with it, in the order of their steps; then those of the contests of steps. */
export const tasksOf = ({ steps }: NewPipeline): ReadonlyArray<NewTask> => [
  ...steps.flatMap(({ work }) => (isKept(work) ? [] : [work])),
  ...steps.flatMap(({ contest }) => (contest === undefined ? [] : contestTasksOf(contest)))
]

/** What two pipelines with the same idempotency key have to have in common. */
export const fingerprint = ({ name, steps }: NewPipeline): string =>
  JSON.stringify([
    name,
    steps.map(({ after, contest, name, policy, work }) => [
      name,
      after,
      policy,
      isKept(work) ? work.kept : [work.prompt, work.agent, work.directory],
      ...(contest === undefined ? [] : [[contest.rules, contestTasksOf(contest).map(({ agent }) => agent)]])
    ])
  ])
