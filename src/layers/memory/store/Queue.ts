/** The queue in memory, for tests of what needs no limits, gates, budgets, wakes, questions or pipelines. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { TaskNotFound, TaskStateConflict } from "../../../domain/Errors.ts"
import { sessionOf, upstreamsOf, usesSession, withoutPruned } from "../../../domain/task/Arrival.ts"
import type { NewTask } from "../../../domain/task/NewTask.ts"
import { cancelledUnstarted } from "../../../domain/task/Outcome.ts"
import { isTerminal, type Task, type TaskId } from "../../../domain/task/Task.ts"
import { traceparentWithin } from "../../../domain/traces/TraceContext.ts"
import type { Claim } from "../../../domain/worker/Claim.ts"
import { Ids } from "../../../services/Ids.ts"
import { type CancelAnswer, type ClaimedTask, type Enqueued, Queue } from "../../../services/Queue.ts"
import { connectAll, releaseDependents } from "./Edges.ts"
import { conclude, edit, submit, take } from "./Lifecycle.ts"
import { change, claimWith, held, type State, Store, taskIn, tasksIn } from "./State.ts"

const claimedIn = (state: State, claim: Claim | undefined): Option.Option<ClaimedTask> => {
  const stored = claim && state.tasks.get(claim.taskId)
  const task = claim && taskIn(state, claim.taskId)
  if (claim === undefined || stored === undefined || task === undefined) return Option.none()
  const { environment, launch } = stored
  const traceparent = traceparentWithin({ ...task, traceparent: stored.traceparent })
  return Option.some({ task, claim, launch, environment, resumeSession: null, traceparent })
}

/** Refuses when another task that has not ended uses the session that this one continues. */
const refuseSharing = (state: State, task: NewTask): Either.Either<void, TaskStateConflict> => {
  const session = sessionOf(task)
  const holder = session === null ? undefined : tasksIn(state).find((other) => usesSession(other, session))
  if (holder === undefined) return Either.void
  return Either.left(new TaskStateConflict({ id: holder.id, step: "share its session", actual: holder.status }))
}

/** The task, its other attempts, and what was submitted below it. */
const withKin = (tasks: ReadonlyArray<Task>, { id, rootId }: Task): ReadonlyArray<Task> => {
  const below = (parent: TaskId): ReadonlyArray<Task> =>
    tasks.filter(({ parentId }) => parentId === parent).flatMap((child) => [child, ...below(child.id)])
  return [...tasks.filter((one) => (one.rootId ?? one.id) === (rootId ?? id)), ...below(id)]
}

const make = Effect.gen(function* () {
  const store = yield* Store
  const ids = yield* Ids

  return Queue.of({
    enqueue: Effect.fn("Queue.enqueue")(function* (tasks, { maxDepth }) {
      const named = yield* Effect.forEach(tasks, (task) => Effect.map(ids.task, (id) => ({ task, id })))
      return yield* store.write((draft, now) =>
        Either.gen(function* () {
          for (const task of tasks) yield* refuseSharing(draft, task)
          const enqueued: Array<Enqueued> = []
          for (const { id, task } of named) enqueued.push(yield* submit(draft, task, { id, now, maxDepth }))
          yield* connectAll(draft, tasks, enqueued)
          releaseDependents(draft, [], now)
          return enqueued.map((one) => ({ ...one, task: taskIn(draft, one.task.id) ?? one.task }))
        })
      )
    }),

    claim: Effect.fn("Queue.claim")(function* (options) {
      const claimId = yield* ids.claim
      return yield* store.write((draft, now) => Either.right(claimedIn(draft, take(draft, options, claimId, now))))
    }),

    claimSeveral(options, most) {
      return Effect.map(Effect.replicateEffect(this.claim(options), most), (all) => all.flatMap(Option.toArray))
    },

    claimedTask: (claimId) =>
      store.read((state) =>
        Option.map(claimedIn(state, claimWith(state, claimId)), ({ task, claim }) => ({ task, claim }))
      ),

    finish: Effect.fn("Queue.finish")(function* (id, ending, holder, retry) {
      const retryId = yield* ids.task
      return yield* store.write((draft, now) =>
        Either.gen(function* () {
          const task = draft.tasks.get(id)?.task ?? (yield* Either.left(new TaskNotFound({ reference: id })))
          const claim = draft.claims.get(id)
          // Without a holder only a task without a claim ends.
          if (claim?.claimId !== holder?.claimId || claim?.workerId !== holder?.workerId) {
            yield* Either.left(new TaskStateConflict({ id, step: "finish", actual: task.status }))
          }
          if (!retry || ending.status !== "failed" || task.cancelRequestedAt !== null) {
            return yield* conclude(draft, id, ending, now)
          }
          const gone = upstreamsOf(retry).filter((upstream) => !draft.tasks.has(upstream))
          const next = withoutPruned(retry, gone)
          const context = { id: retryId, now, maxDepth: Number.MAX_SAFE_INTEGER }
          // It comes from a task that was accepted.
          const stored = Either.getOrThrow(submit(draft, next, context))
          Either.getOrThrow(connectAll(draft, [next], [stored]))
          return yield* conclude(draft, id, ending, now, retryId)
        })
      )
    }),

    requeue: (holder, account) =>
      store.write((draft, now) =>
        Either.gen(function* () {
          const { taskId } = yield* held(draft, holder, "requeue")
          const task = draft.tasks.get(taskId)?.task
          if (task?.cancelRequestedAt !== null) {
            Either.getOrThrow(conclude(draft, taskId, cancelledUnstarted, now))
            return
          }
          draft.claims.delete(taskId)
          const queued = { status: "queued", startedAt: null, frozenAt: null } as const
          change(draft, taskId, { ...queued, account: account?.key ?? task.account })
        })
      ),

    park: () => Effect.dieMessage("a test that parks tasks uses the SQL layers"),

    cancel: (id, { by, reason }) =>
      store.write((draft, now): Either.Either<CancelAnswer, TaskNotFound> => {
        const task = draft.tasks.get(id)?.task
        if (task === undefined) return Either.left(new TaskNotFound({ reference: id }))
        if (isTerminal(task.status)) return Either.right("over")
        if (task.cancelRequestedAt === null) {
          change(draft, id, { cancelRequestedAt: now, cancelReason: reason, cancelledBy: by })
        }
        if (task.status === "running") return Either.right("requested")
        Either.getOrThrow(conclude(draft, id, cancelledUnstarted, now))
        return Either.right("ended")
      }),

    captured: Effect.fn("Queue.captured")(function* (id) {
      const stored = yield* store.read(({ tasks }) => tasks.get(id))
      if (stored === undefined) return yield* new TaskNotFound({ reference: id })
      const { environment, launch, revision } = stored
      return { launch, environment, revision, resumeSession: null }
    }),

    edit: (id, fields, revision) => store.write((draft) => edit(draft, id, fields, revision)),

    prune: ({ dryRun, endedBefore, limit }) =>
      store.write((draft) => {
        const tasks = tasksIn(draft)
        const endOf = ({ endedAt }: Task) => endedAt ?? Number.POSITIVE_INFINITY
        const old = tasks
          .filter((task) => withKin(tasks, task).every((one) => endOf(one) < endedBefore))
          .sort((left, right) => endOf(left) - endOf(right) || left.seq - right.seq)
          .slice(0, limit)
          .map(({ id }) => id)
        for (const id of dryRun ? [] : old) {
          draft.tasks.delete(id)
          draft.output.delete(id)
          for (const event of draft.ends.values()) if (event.id === id) draft.ends.delete(event.seq)
        }
        return Either.right(old)
      })
  })
})

export const layer = Layer.effect(Queue, make)
