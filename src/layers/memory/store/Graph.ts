/** The edges between tasks on the in-memory state: drawing them, and what the end of a task means for those behind it. */
import * as Either from "effect/Either"
import { DependencyInvalid, TaskNotFound } from "../../../domain/Errors.ts"
import { isSameEdge, maxLevel, orderOf, redrawn, resolutionOf } from "../../../domain/task/Dependency.ts"
import type { NewDependency, NewTask } from "../../../domain/task/NewTask.ts"
import type { Dependency, Task, TaskId } from "../../../domain/task/Task.ts"
import type { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import { closed } from "./QuestionState.ts"
import { changed, type State, type Step, taskIn } from "./Store.ts"

const pendingOf = (task: Task | undefined): ReadonlyArray<Dependency> =>
  task === undefined ? [] : task.dependsOn.filter(({ state }) => state === "pending")

const withEdges = (state: State, id: TaskId, dependsOn: ReadonlyArray<Dependency>): State =>
  changed(state, id, {
    dependsOn: Array.from(dependsOn).sort((left, right) => (left.taskId < right.taskId ? -1 : 1)),
    waitingOn: dependsOn.filter((edge) => edge.state === "pending").length
  })

/** The attempt that counts. */
export const latest = (state: State, id: TaskId): Task | undefined => {
  let task = taskIn(state, id)
  while (task?.retriedBy !== null && task?.retriedBy !== undefined) {
    const next = taskIn(state, task.retriedBy)
    if (next === undefined) return task
    task = next
  }
  return task
}

/** Length of the longest chain of tasks that this one waits for; "cycle" when the task is in that chain itself. */
const heightOf = (state: State, id: TaskId): number | "cycle" => {
  const known = new Map<TaskId, number>()
  const visit = (at: TaskId, above: ReadonlySet<TaskId>): number | "cycle" => {
    if (above.has(at)) return "cycle"
    const before = known.get(at)
    if (before !== undefined) return before
    let height = 0
    for (const edge of pendingOf(taskIn(state, at))) {
      const upstream = visit(edge.taskId, new Set(above).add(at))
      if (upstream === "cycle") return upstream
      height = Math.max(height, upstream + 1)
    }
    known.set(at, height)
    return height
  }
  return visit(id, new Set())
}

const dependentsOf = (state: State, id: TaskId): ReadonlyArray<TaskId> =>
  Array.from(state.tasks.values()).flatMap(({ task }) =>
    task.dependsOn.some((edge) => edge.taskId === id && edge.state === "pending") ? [task.id] : []
  )

const isTooDeep = (state: State, id: TaskId, seen = new Set<TaskId>()): boolean => {
  if (seen.has(id)) return false
  seen.add(id)
  const height = heightOf(state, id)
  return height === "cycle" || height > maxLevel || dependentsOf(state, id).some((next) => isTooDeep(state, next, seen))
}

/** Draws the edges of a task. */
export const connect = (
  state: State,
  id: TaskId,
  edges: ReadonlyArray<{ readonly upstreamId: TaskId; readonly policy: Dependency["policy"] }>
): Either.Either<State, DependencyInvalid | TaskNotFound> =>
  Either.gen(function* () {
    const drawn = new Map<TaskId, Dependency>(
      (taskIn(state, id)?.dependsOn ?? []).map((stored) => [stored.taskId, stored])
    )
    for (const { policy, upstreamId } of edges) {
      const upstream = latest(state, upstreamId)
      if (upstream === undefined) return yield* Either.left(new TaskNotFound({ reference: upstreamId }))
      if (upstream.id === id) return yield* Either.left(new DependencyInvalid({ problem: "self", subject: id }))
      if (!drawn.has(upstream.id)) {
        drawn.set(upstream.id, { taskId: upstream.id, policy, state: resolutionOf(policy, upstream) })
      }
    }
    const next = withEdges(state, id, Array.from(drawn.values()))
    if (heightOf(next, id) === "cycle") {
      return yield* Either.left(new DependencyInvalid({ problem: "cycle", subject: id }))
    }
    if (isTooDeep(next, id)) return yield* Either.left(new DependencyInvalid({ problem: "too-deep", subject: id }))
    return next
  })

/** Draws the edges of a batch; `idAt` is the task at a place of it. */
export const connectAll = (
  state: State,
  tasks: ReadonlyArray<NewTask>,
  idAt: (member: number) => { readonly id: TaskId; readonly created: boolean } | undefined
): Either.Either<State, DependencyInvalid | TaskNotFound> =>
  Either.gen(function* () {
    let next = state
    for (const { edges, member } of yield* orderOf(tasks)) {
      const own = idAt(member)
      if (own === undefined || !own.created) continue
      const drawn = edges.flatMap(({ policy, upstream }) => {
        const upstreamId = typeof upstream === "string" ? upstream : idAt(upstream.member)?.id
        return upstreamId === undefined ? [] : [{ upstreamId, policy }]
      })
      next = yield* connect(next, own.id, drawn)
      const from = tasks[member]?.continueFrom ?? null
      const continueFrom = from === null || typeof from === "string" ? from : (idAt(from.member)?.id ?? null)
      next = changed(next, own.id, { continueFrom })
    }
    return next
  })

/** Replaces the edges of a task that has not started; one that can never be met is refused. */
export const reconnect = (
  state: State,
  task: Task,
  dependsOn: ReadonlyArray<NewDependency>
): Either.Either<State, DependencyInvalid | TaskNotFound> =>
  Either.gen(function* () {
    const drawn = yield* redrawn(task.dependsOn, dependsOn, task.continueFrom)
    const kept = task.dependsOn.filter((edge) => drawn.some((one) => isSameEdge(one, edge)))
    const fresh = drawn.filter((one) => !kept.some((edge) => isSameEdge(one, edge)))
    const next = yield* connect(withEdges(state, task.id, kept), task.id, fresh)
    const unmet = taskIn(next, task.id)?.dependsOn.find((edge) => edge.state === "unmet")
    return unmet === undefined
      ? next
      : yield* Either.left(new DependencyInvalid({ problem: "unmet", subject: unmet.taskId }))
  })

/** What waits for one task waits for another from now on. */
export const handOver = (state: State, from: TaskId, to: TaskId): State =>
  dependentsOf(state, from).reduce(
    (next, id) =>
      withEdges(
        next,
        id,
        (taskIn(next, id)?.dependsOn ?? []).map((edge) => (edge.taskId === from ? { ...edge, taskId: to } : edge))
      ),
    state
  )

/** Resolves what waits for tasks that have ended, and ends what can never start. */
export const releaseDependents = (
  state: State,
  ended: ReadonlyArray<TaskId>,
  now: number
): Step<ReadonlyArray<TaskEnded>> => {
  const events: Array<TaskEnded> = []
  let next = state
  const resolve = (upstreamId: TaskId): void => {
    const upstream = taskIn(next, upstreamId)
    if (upstream === undefined) return
    for (const id of dependentsOf(next, upstreamId)) {
      const edges = (taskIn(next, id)?.dependsOn ?? []).map((edge) =>
        edge.taskId === upstreamId ? { ...edge, state: resolutionOf(edge.policy, upstream) } : edge
      )
      if (taskIn(next, id)?.status === "queued") next = withEdges(next, id, edges)
    }
  }
  const roots = new Map<TaskId, TaskId>()
  const cancelDoomed = (id: TaskId): boolean => {
    const task = taskIn(next, id)
    const unmet = task?.dependsOn.find((edge) => edge.state === "unmet")
    if (task?.status !== "queued" || unmet === undefined) return false
    const root = roots.get(unmet.taskId) ?? unmet.taskId
    roots.set(id, root)
    const error = `Task ${root} ended otherwise than this task was to wait for.`
    next = changed(closed(next, id), id, {
      status: "cancelled",
      cause: "dependency-failed",
      endedAt: now,
      waitingOn: 0,
      asks: 0,
      error
    })
    const event: TaskEnded = {
      seq: next.lastEvent + 1,
      kind: "task",
      id,
      status: "cancelled",
      cause: "dependency-failed",
      at: now,
      retriedBy: null
    }
    next = { ...next, outbox: [...next.outbox, event], lastEvent: event.seq }
    events.push(event)
    return true
  }
  for (const id of ended) resolve(id)
  while (true) {
    const doomed = Array.from(next.tasks.keys()).filter(cancelDoomed)
    if (doomed.length === 0) return [events, next]
    for (const id of doomed) resolve(id)
  }
}
