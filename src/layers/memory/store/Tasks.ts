/** The read model of tasks in memory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { AmbiguousReference, TaskNotFound } from "../../../domain/Errors.ts"
import { claimOrder, isReady, isStartable } from "../../../domain/task/Readiness.ts"
import type { Task, TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { type TaskEdge, TaskNode } from "../../../domain/task/TaskGraph.ts"
import { haltsIn } from "../../../domain/task/TaskHalt.ts"
import type { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import { type ListFilter, Tasks } from "../../../services/Tasks.ts"
import { Store, taskIn, tasksIn } from "./State.ts"

const bound = 1000

const nodeOf = Schema.validateSync(TaskNode)

const summaryOf = ({ answer: _a, dependsOn: _d, prompt: _p, systemPrompt: _s, ...summary }: Task): TaskSummary =>
  summary

const glanceOf = Struct.pick("id", "title", "status", "agent", "createdAt", "endedAt")

const placeOf = Struct.pick("id", "title", "status", "directory", "workspaceId")

const matches =
  (filter: ListFilter) =>
  (task: Task): boolean =>
    (filter.status.length === 0 || filter.status.includes(task.status)) &&
    (["agent", "directory", "parentId"] as const).every((key) => filter[key] === null || filter[key] === task[key]) &&
    Object.entries(filter.labels).every(([key, value]) => task.labels[key] === value) &&
    (filter.since === null || task.createdAt >= filter.since) &&
    (filter.before === null || task.seq < filter.before)

const idsOf = (tasks: ReadonlyArray<Task>): ReadonlyArray<TaskId> => tasks.slice(0, bound).map(({ id }) => id)

const isRunning = ({ status }: Task): boolean => status === "running"

const make = Effect.gen(function* () {
  const store = yield* Store

  /** The tasks that fit, in order of arrival. */
  const where = (fits: (task: Task) => boolean) => store.read((state) => tasksIn(state).filter(fits))

  const eventsWhere = (fits: (event: TaskEnded) => boolean) =>
    store.read(({ ends }) => Array.from(ends.values()).filter(fits))

  const get = Effect.fn("Tasks.get")(function* (id: TaskId) {
    const task = yield* store.read((state) => taskIn(state, id))
    return task === undefined ? yield* new TaskNotFound({ reference: id }) : task
  })

  return Tasks.of({
    get,
    summary: (id) => Effect.map(get(id), summaryOf),
    resolve: Effect.fn("Tasks.resolve")(function* (reference) {
      const ids = yield* store.read((state) => Array.from(state.tasks.keys()))
      const starting = ids.filter((id) => reference.length > 0 && id.startsWith(reference))
      const fits = reference === "@last" ? ids.slice(-1) : starting.slice(0, 10)
      const [first, second] = fits
      if (first === undefined) return yield* new TaskNotFound({ reference })
      if (second !== undefined) return yield* new AmbiguousReference({ reference, candidates: fits })
      return first
    }),
    list: (filter) =>
      Effect.map(where(matches(filter)), (fits) => ({
        tasks: fits.toReversed().slice(0, filter.limit).map(summaryOf),
        more: Math.min(bound, Math.max(0, fits.length - filter.limit))
      })),
    newest: (limit) => Effect.map(store.read(tasksIn), (tasks) => tasks.toReversed().slice(0, limit).map(glanceOf)),
    counts: store.read((state) => {
      const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
      for (const { status } of tasksIn(state)) counts[status] += 1
      return counts
    }),
    during: (from, until, limit) => {
      const ran = ({ endedAt, startedAt }: Task, end: number) =>
        startedAt !== null && startedAt <= end && (endedAt === null || endedAt >= from)
      const fits = (task: Task) => (until === null ? isRunning(task) || isReady(task, from) : ran(task, until))
      return Effect.map(where(fits), (tasks) => tasks.slice(0, limit).map(placeOf))
    },
    awaitAnswers: Effect.map(where(isStartable), (startable) => startable.length === 0),
    ahead: (id) =>
      store.read((state, now) => {
        const task = taskIn(state, id)
        if (task?.status !== "queued") return Option.none()
        const before = tasksIn(state).filter((other) => isReady(other, now) && claimOrder(other, task) < 0)
        return Option.some(Math.min(bound, before.length))
      }),
    children: (id) =>
      Effect.map(
        where(({ parentId }) => parentId === id),
        idsOf
      ),
    edges: (ids, limit) =>
      Effect.map(store.read(tasksIn), (tasks) => {
        const waiting = tasks.filter(({ status, waitingOn }) => status === "queued" && waitingOn > 0)
        const wanted = new Set(ids ?? waiting.map(({ id }) => id))
        return tasks
          .flatMap(({ dependsOn, id }) =>
            dependsOn.map(({ policy, state, taskId }): TaskEdge => ({ from: taskId, to: id, policy, state }))
          )
          .filter(({ from, to }) => wanted.has(to) || (ids !== null && wanted.has(from)))
          .slice(0, limit)
      }),
    nodes: (ids) =>
      Effect.map(
        where(({ id }) => ids.includes(id)),
        (tasks) => tasks.map((task) => nodeOf(task))
      ),
    attempts: (root) =>
      Effect.map(
        where(({ id, rootId }) => id === root || rootId === root),
        (tasks) => tasks.slice(0, bound).map(summaryOf)
      ),
    nextDue: (now) =>
      Effect.map(
        where(({ status, waitingOn }) => status === "queued" && waitingOn === 0),
        (tasks) => {
          const due = tasks.flatMap(({ notBefore }) => (notBefore !== null && notBefore > now ? notBefore : []))
          return due.length === 0 ? Option.none() : Option.some(Math.min(...due))
        }
      ),
    // Limits and goals are tested over SQLite alone.
    limitWait: () => Effect.succeedNone,
    placeWait: () => Effect.succeedNone,
    goalWait: () => Effect.succeedNone,
    parks: () => Effect.succeed([]),
    cancelRequested: Effect.map(
      where((task) => isRunning(task) && task.cancelRequestedAt !== null),
      idsOf
    ),
    asking: Effect.map(
      where((task) => isRunning(task) && task.asks > 0),
      idsOf
    ),
    events: (after, limit) =>
      Effect.map(
        eventsWhere(({ seq }) => seq > after),
        (events) => events.slice(0, limit)
      ),
    endsOf: (ids) => eventsWhere(({ id }) => ids.includes(id)),
    haltsOf: (ids) => store.read((state) => haltsIn(ids, tasksIn(state))),
    lastEvent: store.read(({ ends }) => Math.max(0, ...ends.keys())),
    // Every caller acts as another connection, so each commit counts.
    version: store.commits,
    ownChanges: Effect.succeed(0)
  })
})

export const layer = Layer.effect(Tasks, make)
