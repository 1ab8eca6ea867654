/** Pipelines on the in-memory state: their status, and what the end of tasks means for them. */
import {
  type Pipeline,
  type PipelineStep,
  type PipelineSummary,
  type StepCounts,
  statusOf,
  stepStatusOf
} from "../../../domain/pipeline/Pipeline.ts"
import { isTerminal, type PipelineId, type Task, type TaskId, type TaskSummary } from "../../../domain/task/Task.ts"
import type { PipelineEnded } from "../../../domain/task/TerminalEvent.ts"
import { changed, type State, type StoredPipeline, taskIn } from "./Store.ts"

export const summaryOf = ({
  answer: _answer,
  dependsOn: _edges,
  prompt: _prompt,
  systemPrompt: _system,
  ...summary
}: Task): TaskSummary => summary

const stepsIn = (state: State, { id, steps }: StoredPipeline): ReadonlyArray<PipelineStep> =>
  steps.flatMap(({ taskId, ...step }, position) => {
    const task = taskIn(state, taskId)
    if (task === undefined) return []
    return [
      {
        ...step,
        position,
        status: stepStatusOf(task),
        kept: task.pipelineId !== id,
        contest: null,
        task: summaryOf(task)
      }
    ]
  })

export const pipelineIn = (state: State, stored: StoredPipeline): Pipeline => {
  const { digest: _digest, ...fields } = stored
  const steps = stepsIn(state, stored)
  const counts: { -readonly [K in keyof StepCounts]: number } = {
    queued: 0,
    running: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    skipped: 0
  }
  for (const { status } of steps) counts[status] += 1
  const own = Array.from(state.tasks.values()).flatMap(({ task }) => (task.pipelineId === stored.id ? [task] : []))
  const starts = own.flatMap(({ startedAt }) => startedAt ?? [])
  const begun = starts.length > 0 || steps.some(({ kept, task }) => !kept && isTerminal(task.status))
  const status = statusOf(counts, begun)
  const endedAt = Math.max(stored.createdAt, ...steps.map(({ task }) => task.endedAt ?? 0))
  return {
    ...fields,
    status,
    counts,
    startedAt: starts.length === 0 ? null : Math.min(...starts),
    endedAt: isTerminal(status) ? endedAt : null,
    steps
  }
}

export const withoutSteps = ({ steps: _steps, ...summary }: Pipeline): PipelineSummary => summary

/** Starts the pauses of steps that no longer wait for a task, and appends the ends of pipelines that have ended. */
export const concludePipelines = (state: State, touched: ReadonlyArray<PipelineId>, now: number): State => {
  let next = state
  for (const stored of state.pipelines.values()) {
    if (!touched.includes(stored.id)) continue
    for (const { delayMs, taskId } of stored.steps) {
      const task = taskIn(next, taskId)
      if (delayMs > 0 && task?.status === "queued" && task.waitingOn === 0 && task.notBefore === null) {
        next = changed(next, taskId, { notBefore: now + delayMs })
      }
    }
    const { id, status } = pipelineIn(next, stored)
    if (!isTerminal(status) || next.outbox.some((event) => event.kind === "pipeline" && event.id === id)) continue
    const event: PipelineEnded = {
      seq: next.lastEvent + 1,
      kind: "pipeline",
      id,
      status,
      cause: null,
      at: now,
      retriedBy: null
    }
    const gates = next.gates.filter(({ name, scope }) => scope !== "pipeline" || name !== id)
    next = { ...next, outbox: [...next.outbox, event], lastEvent: event.seq, gates }
  }
  return next
}

const pipelinesOf = (state: State, tasks: ReadonlyArray<TaskId>): ReadonlyArray<StoredPipeline> =>
  Array.from(state.pipelines.values()).filter(({ steps }) => steps.some(({ taskId }) => tasks.includes(taskId)))

/** After these tasks have ended and what waited for them is resolved. */
export const afterEnds = (state: State, ended: ReadonlyArray<TaskId>, now: number): State =>
  concludePipelines(
    state,
    pipelinesOf(state, ended).map(({ id }) => id),
    now
  )

/** An automatic retry takes the place of the attempt that failed. */
export const replaceStep = (state: State, failed: TaskId, retry: TaskId): State => {
  const pipelineId = taskIn(state, failed)?.pipelineId ?? null
  const pipelines = new Map(state.pipelines)
  for (const pipeline of pipelinesOf(state, [failed])) {
    const steps = pipeline.steps.map((step) => (step.taskId === failed ? { ...step, taskId: retry } : step))
    pipelines.set(pipeline.id, { ...pipeline, steps })
  }
  return { ...changed(state, retry, { pipelineId }), pipelines }
}

/** With a task goes the pipeline that it was a step of. */
export const forgetPipelines = (state: State, task: TaskId): State => {
  const gone = new Set<string>(pipelinesOf(state, [task]).map(({ id }) => id))
  return {
    ...state,
    pipelines: new Map(Array.from(state.pipelines).filter(([id]) => !gone.has(id))),
    outbox: state.outbox.filter((event) => event.kind !== "pipeline" || !gone.has(event.id))
  }
}

const isTriedAgain = (state: State, task: TaskId, endedBefore: number): boolean => {
  const root = taskIn(state, task)?.rootId ?? task
  return Array.from(state.tasks.values()).some(
    ({ task: { endedAt, id, rootId } }) =>
      (rootId === root || id === root) && (endedAt === null || endedAt >= endedBefore)
  )
}

/** A task keeps those that it comes from: the budgets of a tree are found by way of them. */
const hasYoungerBelow = (state: State, task: TaskId, endedBefore: number): boolean =>
  Array.from(state.tasks.values()).some(
    ({ task: { endedAt, id, parentId } }) =>
      parentId === task && (endedAt === null || endedAt >= endedBefore || hasYoungerBelow(state, id, endedBefore))
  )

/**
 * Whether the task is no longer needed: no later attempt of the same work and no task below it is still open, and none of its
 * pipelines is open or ended at `endedBefore` or later.
 */
export const isForgettable = (state: State, task: TaskId, endedBefore: number): boolean =>
  !isTriedAgain(state, task, endedBefore) &&
  !hasYoungerBelow(state, task, endedBefore) &&
  pipelinesOf(state, [task]).every(({ steps }) =>
    steps.every(({ taskId }) => {
      const endedAt = taskIn(state, taskId)?.endedAt ?? null
      return endedAt !== null && endedAt < endedBefore
    })
  )
