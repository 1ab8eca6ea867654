/** The read model of tasks over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AmbiguousReference, TaskNotFound } from "../../../domain/Errors.ts"
import { claimOrder, isReady } from "../../../domain/task/Readiness.ts"
import type { Task, TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { type TaskEdge, TaskNode } from "../../../domain/task/TaskGraph.ts"
import { type ListFilter, Tasks } from "../../../services/Tasks.ts"
import { Store, taskIn, tasksIn } from "./State.ts"

const bound = 1000

const nodeOf = Schema.validateSync(TaskNode)

const summaryOf = ({ answer: _a, dependsOn: _d, prompt: _p, systemPrompt: _s, ...summary }: Task): TaskSummary =>
  summary

const matches =
  (filter: ListFilter) =>
  (task: Task): boolean =>
    (filter.status.length === 0 || filter.status.includes(task.status)) &&
    (filter.agent === null || task.agent === filter.agent) &&
    Object.entries(filter.labels).every(([key, value]) => task.labels[key] === value) &&
    (filter.directory === null || task.directory === filter.directory) &&
    (filter.parentId === null || task.parentId === filter.parentId) &&
    (filter.since === null || task.createdAt >= filter.since) &&
    (filter.before === null || task.seq < filter.before)

const make = Effect.gen(function* () {
  const store = yield* Store

  const get = Effect.fn("Tasks.get")(function* (id: TaskId) {
    const task = yield* store.read((state) => taskIn(state, id))
    return task === undefined ? yield* new TaskNotFound({ reference: id }) : task
  })

  return Tasks.of({
    get,
    summary: Effect.fn("Tasks.summary")(function* (id) {
      return summaryOf(yield* get(id))
    }),
    resolve: Effect.fn("Tasks.resolve")(function* (reference) {
      const ids = yield* store.read((state) => Array.from(state.tasks.keys()))
      const fits =
        reference === "@last"
          ? ids.slice(-1)
          : ids.filter((id) => reference.length > 0 && id.startsWith(reference)).slice(0, 10)
      const [first, second] = fits
      if (first === undefined) return yield* new TaskNotFound({ reference })
      if (second !== undefined) return yield* new AmbiguousReference({ reference, candidates: fits })
      return first
    }),
    list: Effect.fn("Tasks.list")(function* (filter) {
      const fits = (yield* store.read(tasksIn)).filter(matches(filter)).reverse()
      return {
        tasks: fits.slice(0, filter.limit).map(summaryOf),
        more: Math.min(bound, Math.max(0, fits.length - filter.limit))
      }
    }),
    newest: (limit) =>
      store.read((state) =>
        tasksIn(state)
          .toReversed()
          .slice(0, limit)
          .map(({ agent, createdAt, endedAt, id, status, title }) => ({ id, title, status, agent, createdAt, endedAt }))
      ),
    counts: store.read((state) => {
      const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
      for (const { task } of state.tasks.values()) counts[task.status] += 1
      return counts
    }),
    during: (from, until, limit) =>
      store.read((state) =>
        tasksIn(state)
          .filter((task) =>
            until === null
              ? task.status === "running" || isReady(task, from)
              : task.startedAt !== null && task.startedAt <= until && (task.endedAt === null || task.endedAt >= from)
          )
          .slice(0, limit)
          .map(({ directory, id, status, title, workspaceId }) => ({ id, title, status, directory, workspaceId }))
      ),
    awaitAnswers: store.read((state) =>
      tasksIn(state).every(({ asks, status, waitingOn }) => status !== "queued" || waitingOn > 0 || asks > 0)
    ),
    ahead: (id) =>
      store.read((state, now) => {
        const task = taskIn(state, id)
        return task?.status !== "queued"
          ? Option.none()
          : Option.some(
              Math.min(
                bound,
                tasksIn(state).filter((other) => isReady(other, now) && claimOrder(other, task) < 0).length
              )
            )
      }),
    children: (id) =>
      store.read((state) =>
        tasksIn(state)
          .filter((task) => task.parentId === id)
          .slice(0, bound)
          .map((task) => task.id)
      ),
    edges: (ids, limit) =>
      store.read((state) => {
        const wanted = new Set(
          ids ?? tasksIn(state).flatMap((task) => (task.status === "queued" && task.waitingOn > 0 ? task.id : []))
        )
        return tasksIn(state)
          .flatMap(({ dependsOn, id }) =>
            dependsOn.map((edge): TaskEdge => ({ from: edge.taskId, to: id, policy: edge.policy, state: edge.state }))
          )
          .filter(({ from, to }) => wanted.has(to) || (ids !== null && wanted.has(from)))
          .slice(0, limit)
      }),
    nodes: (ids) =>
      store.read((state) =>
        tasksIn(state)
          .filter(({ id }) => ids.includes(id))
          .map((task) => nodeOf(task))
      ),
    attempts: (rootId) =>
      store.read((state) =>
        tasksIn(state)
          .filter((task) => task.id === rootId || task.rootId === rootId)
          .slice(0, bound)
          .map(summaryOf)
      ),
    nextDue: (now) =>
      store.read((state) => {
        const due = tasksIn(state).flatMap((task) =>
          task.status === "queued" && task.waitingOn === 0 && task.notBefore !== null && task.notBefore > now
            ? task.notBefore
            : []
        )
        return due.length === 0 ? Option.none() : Option.some(Math.min(...due))
      }),
    // Limits and goals are tested over SQLite alone.
    limitWait: () => Effect.succeedNone,
    goalWait: () => Effect.succeedNone,
    parks: () => Effect.succeed([]),

    cancelRequested: store.read((state) =>
      tasksIn(state)
        .filter((task) => task.status === "running" && task.cancelRequestedAt !== null)
        .slice(0, bound)
        .map((task) => task.id)
    ),
    asking: store.read((state) =>
      tasksIn(state).flatMap(({ asks, id, status }) => (status === "running" && asks > 0 ? [id] : []))
    ),
    events: (after, limit) =>
      store.read(({ ends }) =>
        Array.from(ends.values())
          .filter(({ seq }) => seq > after)
          .slice(0, limit)
      ),
    endsOf: (ids) => store.read(({ ends }) => Array.from(ends.values()).filter(({ id }) => ids.includes(id))),
    lastEvent: store.read(({ ends }) => Math.max(0, ...ends.keys())),
    // Every caller acts as another connection, so each commit counts.
    version: store.commits
  })
})

export const layer = Layer.effect(Tasks, make)
