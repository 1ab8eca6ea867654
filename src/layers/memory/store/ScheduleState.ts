/** Runs of schedules on the in-memory state: what they store, what they wait for, and how they end. */
import * as Either from "effect/Either"
import { type Execution, keptExecutions, type Work } from "../../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../../domain/schedule/ScheduleId.ts"
import type { NewDependency, NewTask } from "../../../domain/task/NewTask.ts"
import { outcome } from "../../../domain/task/Outcome.ts"
import { isTerminal, type PipelineId, type TaskId } from "../../../domain/task/Task.ts"
import { connectAll, latest, releaseDependents } from "./Graph.ts"
import { conclude, submit } from "./Lifecycle.ts"
import { concludePipelines, pipelineIn } from "./PipelineState.ts"
import { changed, put, type State, taskIn } from "./Store.ts"

/** What a run stores, made ready outside of the step. */
export interface Prepared {
  readonly tasks: ReadonlyArray<{ readonly id: TaskId; readonly task: NewTask }>
  readonly pipeline: { readonly id: PipelineId; readonly digest: string } | null
}

export const executionsOf = (state: State, id: ScheduleId): ReadonlyArray<Execution> => state.executions.get(id) ?? []

/** The execution after the end of what it started: triggers do this in a database. */
const standing = (state: State, execution: Execution): Execution => {
  if (execution.status !== "running") return execution
  if (execution.taskId !== null) {
    const task = latest(state, execution.taskId)
    if (task === undefined) return execution
    const over = isTerminal(task.status) ? { status: task.status, endedAt: task.endedAt } : {}
    return { ...execution, taskId: task.id, ...over }
  }
  const stored = execution.pipelineId === null ? undefined : state.pipelines.get(execution.pipelineId)
  if (stored === undefined) return execution
  const pipeline = pipelineIn(state, stored)
  if (!isTerminal(pipeline.status)) return execution
  const ran = pipeline.steps.some(({ task }) => task.startedAt !== null)
  const status = pipeline.status === "completed" && !ran ? "cancelled" : pipeline.status
  return { ...execution, status, endedAt: pipeline.endedAt }
}

/** The state with every execution brought up to date; each step begins with it. */
export const settled = (state: State): State => ({
  ...state,
  executions: new Map(
    Array.from(state.executions, ([id, all]) => [id, all.map((execution) => standing(state, execution))] as const)
  )
})

const record = (state: State, execution: Execution): State => {
  const all = [...executionsOf(state, execution.scheduleId), execution].sort((left, right) => left.dueAt - right.dueAt)
  // The newest that started something stays too: a schedule that follows asks for it.
  const begun = all.findLast(
    ({ dueAt, status }) => status !== "skipped" && status !== "missed" && dueAt <= execution.at
  )
  const kept = all.filter((one, at) => one.status === "running" || one === begun || at >= all.length - keptExecutions)
  return { ...state, executions: put(state.executions, execution.scheduleId, kept) }
}

export const isNew = (state: State, id: ScheduleId, dueAt: number): boolean =>
  !executionsOf(state, id).some((execution) => execution.dueAt === dueAt)

const blank = { reason: null, taskId: null, pipelineId: null, endedAt: null, untilAt: null, count: 1 }

export const note = (
  state: State,
  fields: Pick<Execution, "scheduleId" | "dueAt" | "at" | "status"> & Partial<Execution>
): readonly [Execution, State] => {
  const execution: Execution = { ...blank, origin: "time", ...fields }
  return [execution, record(state, execution)]
}

/** Stores what a run starts; what nothing else of it waits for waits for `edges`. */
export const start = (
  state: State,
  run: Pick<Execution, "scheduleId" | "dueAt" | "at" | "origin">,
  { pipeline, tasks }: Prepared,
  work: Work,
  edges: ReadonlyArray<NewDependency>
): Either.Either<readonly [Execution, State], unknown> =>
  Either.gen(function* () {
    const ready = tasks.map(({ id, task }) => ({
      id,
      task: task.dependsOn.length > 0 || task.continueFrom !== null ? task : { ...task, dependsOn: edges }
    }))
    let next = state
    for (const { id, task } of ready) {
      next = (yield* submit(next, task, { id, now: run.at, maxDepth: Number.MAX_SAFE_INTEGER }))[1]
      if (pipeline !== null) next = changed(next, id, { pipelineId: pipeline.id })
    }
    next = yield* connectAll(
      next,
      ready.map(({ task }) => task),
      (member) => {
        const one = ready[member]
        return one === undefined ? undefined : { id: one.id, created: true }
      }
    )
    next = releaseDependents(next, [], run.at)[1]
    if (pipeline !== null && work.kind === "pipeline") {
      const { name, steps } = work.pipeline
      const stored = {
        ...pipeline,
        seq: next.lastPipeline + 1,
        name,
        retryOf: null,
        idempotencyKey: null,
        createdAt: run.at,
        cancelRequestedAt: null,
        cancelReason: null,
        cancelledBy: null,
        steps: steps.flatMap(({ work: _work, ...step }, at) => {
          const taskId = ready[at]?.id
          return taskId === undefined ? [] : [{ ...step, taskId }]
        })
      }
      next = { ...next, pipelines: put(next.pipelines, pipeline.id, stored), lastPipeline: stored.seq }
      next = concludePipelines(next, [pipeline.id], run.at)
    }
    const [execution, recorded] = note(next, {
      ...run,
      status: "running",
      taskId: pipeline === null ? (ready[0]?.id ?? null) : null,
      pipelineId: pipeline?.id ?? null
    })
    return [standing(recorded, execution), settled(recorded)] as const
  })

const stepsOf = (state: State, execution: Execution) => {
  const stored = execution.pipelineId === null ? undefined : state.pipelines.get(execution.pipelineId)
  return stored?.steps ?? []
}

const open = (state: State, id: TaskId): boolean => !isTerminal(taskIn(state, id)?.status ?? "cancelled")

const tasksOf = (state: State, execution: Execution): ReadonlyArray<TaskId> =>
  execution.taskId !== null ? [execution.taskId] : stepsOf(state, execution).map(({ taskId }) => taskId)

export const whenOver = (state: State, execution: Execution): ReadonlyArray<NewDependency> =>
  tasksOf(state, execution)
    .filter((id) => open(state, id))
    .map((upstream) => ({ upstream, policy: "finished" }))

export const onSuccess = (state: State, execution: Execution): ReadonlyArray<NewDependency> => {
  if (execution.taskId !== null) return [{ upstream: execution.taskId, policy: "success" }]
  const spare = new Set<number>()
  return stepsOf(state, execution).map(({ after, policy, taskId }, at) => {
    if (policy === "failure" || after.some((other) => spare.has(other))) spare.add(at)
    return { upstream: taskId, policy: spare.has(at) ? "finished" : "success" }
  })
}

/** Cancels what an execution started: queued tasks end immediately, running ones get a request. */
export const cancelRun = (state: State, execution: Execution, now: number): State => {
  const asked = {
    cancelRequestedAt: now,
    cancelReason: "superseded by the schedule's next run",
    cancelledBy: "schedule"
  }
  let next = state
  for (const id of tasksOf(state, execution).toReversed()) {
    if (!open(next, id)) continue
    next = changed(next, id, asked)
    if (taskIn(next, id)?.status !== "queued") continue
    const ended = conclude(next, id, outcome({ status: "cancelled", cause: "cancelled" }), now)
    if (Either.isRight(ended)) next = ended.right[1]
  }
  return next
}
