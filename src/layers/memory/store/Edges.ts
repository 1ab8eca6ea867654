/** The edges between tasks in memory: drawing them, and what the end of a task means for those behind it. */
import * as Either from "effect/Either"
import { DependencyInvalid, TaskNotFound } from "../../../domain/Errors.ts"
import {
  type DrawnEdge,
  drawn,
  idOf,
  maxLevel,
  orderOf,
  redrawn,
  resolutionOf
} from "../../../domain/task/Dependency.ts"
import type { NewDependency, NewTask } from "../../../domain/task/NewTask.ts"
import type { Dependency, Task, TaskId } from "../../../domain/task/Task.ts"
import { unmetBecause } from "../../../domain/task/unmetBecause.ts"
import type { Enqueued } from "../../../services/Queue.ts"
import { change, end, type State, tasksIn } from "./State.ts"

type Drawing = Either.Either<void, DependencyInvalid | TaskNotFound>

const isPending = ({ state }: Dependency): boolean => state === "pending"

const edgesOf = (state: State, id: TaskId): ReadonlyArray<Dependency> => state.tasks.get(id)?.task.dependsOn ?? []

const upstreamOf = (state: State) => (id: TaskId) =>
  edgesOf(state, id)
    .filter(isPending)
    .map(({ taskId }) => taskId)

const downstreamOf = (state: State) => (id: TaskId) =>
  Array.from(state.tasks.keys()).filter((other) => upstreamOf(state)(other).includes(id))

const setEdges = (draft: State, id: TaskId, edges: ReadonlyArray<Dependency>): void =>
  change(draft, id, {
    dependsOn: Array.from(edges).sort((left, right) => (left.taskId < right.taskId ? -1 : 1)),
    waitingOn: edges.filter(isPending).length
  })

/** The most steps that `next` leads away from a task; infinite where it leads in a circle. */
const stepsFrom = (from: TaskId, next: (id: TaskId) => ReadonlyArray<TaskId>): number => {
  const known = new Map<TaskId, number>()
  const visit = (id: TaskId): number => {
    const before = known.get(id)
    if (before !== undefined) return before
    known.set(id, Number.POSITIVE_INFINITY)
    const steps = Math.max(0, ...next(id).map((one) => visit(one) + 1))
    known.set(id, steps)
    return steps
  }
  return visit(from)
}

/** The attempt that counts. */
const latest = (state: State, id: TaskId): Task | undefined => {
  const task = state.tasks.get(id)?.task
  return task?.retriedBy ? (latest(state, task.retriedBy) ?? task) : task
}

/** Draws edges of a task, in addition to those that it has. */
const connect = (draft: State, id: TaskId, edges: ReadonlyArray<DrawnEdge>): Drawing => {
  const invalid = (problem: DependencyInvalid["problem"]) =>
    Either.left(new DependencyInvalid({ problem, subject: id }))
  for (const { policy, upstreamId } of edges) {
    const upstream = latest(draft, upstreamId)
    if (upstream === undefined) return Either.left(new TaskNotFound({ reference: upstreamId }))
    if (upstream.id === id) return invalid("self")
    const before = edgesOf(draft, id)
    if (before.some(({ taskId }) => taskId === upstream.id)) continue
    setEdges(draft, id, [...before, { taskId: upstream.id, policy, state: resolutionOf(policy, upstream) }])
  }
  const above = stepsFrom(id, upstreamOf(draft))
  if (above === Number.POSITIVE_INFINITY) return invalid("cycle")
  return above > 0 && above + stepsFrom(id, downstreamOf(draft)) > maxLevel ? invalid("too-deep") : Either.void
}

/** Draws the edges of a batch. */
export const connectAll = (draft: State, tasks: ReadonlyArray<NewTask>, enqueued: ReadonlyArray<Enqueued>): Drawing =>
  Either.gen(function* () {
    const idAt = (member: number) => enqueued[member]?.task.id
    for (const { edges, member } of yield* orderOf(tasks)) {
      const own = enqueued[member]
      if (own === undefined || !own.created) continue
      yield* connect(draft, own.task.id, drawn(edges, idAt))
      const from = tasks[member]?.continueFrom ?? null
      change(draft, own.task.id, { continueFrom: from === null ? null : (idOf(from, idAt) ?? null) })
    }
  })

/** Replaces the edges of a task that has not started; one that can never be met is refused. */
export const reconnect = (draft: State, task: Task, dependsOn: ReadonlyArray<NewDependency>): Drawing =>
  Either.gen(function* () {
    const { fresh, kept } = yield* redrawn(task.dependsOn, dependsOn, task.continueFrom)
    setEdges(draft, task.id, kept)
    yield* connect(draft, task.id, fresh)
    const unmet = edgesOf(draft, task.id).find(({ state }) => state === "unmet")
    if (unmet !== undefined) yield* Either.left(new DependencyInvalid({ problem: "unmet", subject: unmet.taskId }))
  })

/** Changes what waits for a task. */
const changeWaiting = (draft: State, upstream: TaskId, next: (edge: Dependency) => Dependency): void => {
  const changed = (edge: Dependency) => (edge.taskId === upstream ? next(edge) : edge)
  for (const id of downstreamOf(draft)(upstream)) setEdges(draft, id, edgesOf(draft, id).map(changed))
}

/** What waits for one task waits for another from now on. */
export const handOver = (draft: State, from: TaskId, to: TaskId): void =>
  changeWaiting(draft, from, (edge) => ({ ...edge, taskId: to }))

/** Resolves what waits for tasks that have ended, and ends what can never start. `roots`: whose end ended each of them. */
export const releaseDependents = (
  draft: State,
  ended: ReadonlyArray<TaskId>,
  now: number,
  roots: ReadonlyMap<TaskId, Task> = new Map()
): void => {
  for (const upstream of ended.flatMap((id) => draft.tasks.get(id)?.task ?? [])) {
    changeWaiting(draft, upstream.id, (edge) => ({ ...edge, state: resolutionOf(edge.policy, upstream) }))
  }
  const doomed = new Map<TaskId, Task>()
  for (const { dependsOn, id, status } of tasksIn(draft)) {
    const unmet = dependsOn.find(({ state }) => state === "unmet")
    const upstream = unmet && draft.tasks.get(unmet.taskId)?.task
    if (status !== "queued" || upstream === undefined) continue
    const root = roots.get(upstream.id)
    doomed.set(id, root ?? upstream)
    const error = unmetBecause(root ?? upstream, root === undefined ? (unmet?.policy ?? null) : null, id)
    end(draft, id, { status: "cancelled", cause: "dependency-failed", error, at: now, retriedBy: null })
  }
  if (doomed.size > 0) releaseDependents(draft, Array.from(doomed.keys()), now, doomed)
}
