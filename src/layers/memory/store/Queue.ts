/** The queue over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { TaskNotFound, TaskStateConflict } from "../../../domain/Errors.ts"
import type { Account } from "../../../domain/limits/Account.ts"
import type { NewTask, Upstream } from "../../../domain/task/NewTask.ts"
import type { Outcome } from "../../../domain/task/Outcome.ts"
import { outcome } from "../../../domain/task/Outcome.ts"
import { mostSpread } from "../../../domain/task/RetryPolicy.ts"
import { isTerminal, type Task, type TaskId } from "../../../domain/task/Task.ts"
import type { TaskEnded } from "../../../domain/task/TerminalEvent.ts"
import type { Claim } from "../../../domain/worker/Claim.ts"
import { Ids } from "../../../services/Ids.ts"
import { type CancelAnswer, type ClaimedTask, type Enqueued, Queue } from "../../../services/Queue.ts"
import type { Holder } from "../../../services/WorkerRegistry.ts"
import { held } from "./claimGuard.ts"
import { connectAll, releaseDependents } from "./Graph.ts"
import { conclude, edit, submit, take } from "./Lifecycle.ts"
import { park, withAccount } from "./LimitState.ts"
import { moveMessages } from "./MessageState.ts"
import { forgetPipelines, isForgettable } from "./PipelineState.ts"
import { givenBack } from "./QuestionState.ts"
import { settled } from "./ScheduleState.ts"
import { changed, claimWith, type State, Store, type StoredTask, taskIn, without } from "./Store.ts"

const cancelled: Outcome = outcome({ status: "cancelled", cause: "cancelled" })

const claimIn = (state: State, claim: Claim | undefined): Option.Option<ClaimedTask> => {
  const stored = claim === undefined ? undefined : state.tasks.get(claim.taskId)
  const task = claim === undefined ? undefined : taskIn(state, claim.taskId)
  return claim === undefined || stored === undefined || task === undefined
    ? Option.none()
    : Option.some({
        task,
        claim,
        launch: stored.launch,
        environment: environmentIn(state, stored),
        resumeSession: stored.resumeSession
      })
}

/** The task had a turn before, after which it was put back into the queue. */
const hasBegun = (state: State, { id, parks, wakes }: Task): boolean =>
  parks + wakes > 0 || (state.tasks.get(id)?.resumeSession ?? null) !== null

/** Tasks whose pause is longer than they have it, with its right length. */
const strayedPauses = (state: State, now: number): ReadonlyArray<readonly [TaskId, number]> => {
  const steps = Array.from(state.pipelines.values()).flatMap((pipeline) => pipeline.steps)
  return Array.from(state.tasks.values()).flatMap(({ revision, task }) => {
    const left = task.status === "queued" && task.waitingOn === 0 && revision === 0 ? (task.notBefore ?? 0) - now : 0
    const failed = task.retryOf === null ? undefined : taskIn(state, task.retryOf)
    if (failed !== undefined) {
      const isPause = task.continuation === "retry" && failed.failureResetAt === null
      return isPause && left > mostSpread * failed.backoffMs ? [[task.id, failed.backoffMs] as const] : []
    }
    const delayMs = steps.find(({ taskId }) => taskId === task.id)?.delayMs ?? 0
    return delayMs > 0 && left > delayMs ? [[task.id, delayMs] as const] : []
  })
}

const environmentIn = (state: State, stored: StoredTask) => state.environments.get(stored.environment) ?? {}

const deleted = (state: State, id: TaskId): State => {
  const tasks = without(state.tasks, id)
  const used = new Set(Array.from(tasks.values(), (stored) => stored.environment))
  const environments = new Map(Array.from(state.environments).filter(([key]) => used.has(key)))
  const outbox = state.outbox.filter((event) => event.id !== id)
  const output = without(state.output, id)
  const starts = without(state.starts, id)
  const checkpoints = without(state.checkpoints, id)
  const parks = without(state.parks, id)
  const questions = state.questions.filter(({ question }) => question.taskId !== id)
  const messages = state.messages.filter(({ taskId }) => taskId !== id)
  const gates = state.gates.filter(({ name, scope }) => scope !== "task" || name !== id)
  const root = state.tasks.get(id)?.task.rootId ?? id
  const isLast = !Array.from(tasks.values()).some(({ task }) => task.id === root || task.rootId === root)
  const budgets = new Map(
    Array.from(state.budgets).filter(
      ([, { scope, value }]) => !isLast || value !== root || (scope !== "task" && scope !== "tree")
    )
  )
  const left = { tasks, environments, outbox, output, starts, checkpoints, parks, questions, messages, gates, budgets }
  return forgetPipelines({ ...state, ...left }, id)
}

/** The task that a retry continues from may have been pruned since the retry was prepared: then it starts without. */
const withoutPruned = (state: State, task: NewTask): NewTask => {
  const isKept = (upstream: Upstream) => typeof upstream !== "string" || taskIn(state, upstream) !== undefined
  const { continueFrom, dependsOn } = task
  return {
    ...task,
    dependsOn: dependsOn.filter(({ upstream }) => isKept(upstream)),
    continueFrom: continueFrom !== null && isKept(continueFrom) ? continueFrom : null
  }
}

/** Refuses when another task that has not ended uses the session that this one continues. */
const sharing = (state: State, { agent, continuation, directory, sessionId }: NewTask): TaskStateConflict | null => {
  if (continuation !== "session" || sessionId === null) return null
  const holder = Array.from(state.tasks.values(), ({ task }) => task).find(
    (task) =>
      !isTerminal(task.status) && task.agent === agent && task.directory === directory && task.sessionId === sessionId
  )
  return holder === undefined
    ? null
    : new TaskStateConflict({ id: holder.id, step: "share its session", actual: holder.status })
}

const make = Effect.gen(function* () {
  const store = yield* Store
  const ids = yield* Ids

  return Queue.of({
    enqueue: Effect.fn("Queue.enqueue")(function* (tasks, { maxDepth, moves = [] }) {
      const named = yield* Effect.forEach(tasks, (task) => Effect.map(ids.task, (id) => ({ task, id })))
      return yield* store.write((state, now) =>
        Either.gen(function* () {
          const enqueued: Array<Enqueued> = []
          let next = state
          const taken = tasks.map((task) => sharing(state, task)).find((conflict) => conflict !== null)
          if (taken !== undefined) return yield* Either.left(taken)
          for (const { id, task } of named) {
            const [one, after] = yield* submit(next, task, { id, now, maxDepth })
            enqueued.push(one)
            next = after
          }
          const idAt = (member: number) => {
            const one = enqueued[member]
            return one === undefined ? undefined : { id: one.task.id, created: one.created }
          }
          next = yield* connectAll(next, tasks, idAt)
          const [, released] = releaseDependents(next, [], now)
          const settled = yield* moveMessages(released, moves, enqueued[0]?.task.id)
          return [enqueued.map((one) => ({ ...one, task: taskIn(settled, one.task.id) ?? one.task })), settled] as const
        })
      )
    }),

    claim: Effect.fn("Queue.claim")(function* (options) {
      const claimId = yield* ids.claim
      return yield* store.write((state, now) => {
        const [claim, next] = take(state, options, { claimId, now })
        return Either.right([claimIn(next, claim), next] as const)
      })
    }),

    claimedTask: (claimId) =>
      store.read((state) =>
        Option.map(claimIn(state, claimWith(state, claimId)), ({ task, claim }) => ({ task, claim }))
      ),

    finish: Effect.fn("Queue.finish")(function* (id, ending, holder, retry) {
      const retryId = yield* ids.task
      return yield* store.write((state, now) =>
        Either.gen(function* () {
          const task = taskIn(state, id)
          if (task === undefined) return yield* Either.left(new TaskNotFound({ reference: id }))
          const claim = state.claims.get(id)
          // Without a holder only a task without a claim ends.
          if (claim?.claimId !== holder?.claimId || claim?.workerId !== holder?.workerId) {
            return yield* Either.left(new TaskStateConflict({ id, step: "finish", actual: task.status }))
          }
          if (!retry || ending.status !== "failed" || task.cancelRequestedAt !== null) {
            return yield* conclude(state, id, ending, now)
          }
          const next = withoutPruned(state, retry)
          const [, stored] = yield* submit(state, next, { id: retryId, now, maxDepth: Number.MAX_SAFE_INTEGER }).pipe(
            // It comes from a task that was accepted.
            Either.mapLeft((error) => new TaskNotFound({ reference: error.message }))
          )
          const drawn = yield* connectAll(stored, [next], () => ({ id: retryId, created: true })).pipe(
            Either.mapLeft((error) => new TaskNotFound({ reference: error.message }))
          )
          return yield* conclude(drawn, id, ending, now, retryId)
        })
      )
    }),

    requeue: Effect.fn("Queue.requeue")(function* (holder: Holder, account?: Account) {
      yield* store.write((state, now) =>
        Either.gen(function* () {
          const claim = yield* held(state, holder, "requeue")
          const conflict = new TaskStateConflict({ id: claim.taskId, step: "requeue", actual: "running" })
          if (taskIn(state, claim.taskId)?.cancelRequestedAt !== null) {
            const [, ended] = yield* Either.mapLeft(conclude(state, claim.taskId, cancelled, now), () => conflict)
            return [undefined, ended] as const
          }
          const known = account === undefined ? state : withAccount(state, account.key, account.agent, now)
          const before = taskIn(state, claim.taskId)
          const queued = changed(known, claim.taskId, {
            status: "queued",
            frozenAt: null,
            startedAt: before !== undefined && hasBegun(state, before) ? before.startedAt : null,
            ...(account === undefined ? {} : { account: account.key })
          })
          const back = givenBack(queued, claim.claimId)
          return [
            undefined,
            { ...back, claims: without(state.claims, claim.taskId), live: without(state.live, claim.taskId) }
          ] as const
        })
      )
    }),

    park: Effect.fn("Queue.park")((holder, parking) =>
      store.write((state, now) =>
        Either.gen(function* () {
          const claim = yield* held(state, holder, "park")
          const conflict = new TaskStateConflict({ id: claim.taskId, step: "park", actual: "running" })
          if (taskIn(state, claim.taskId)?.cancelRequestedAt === null) {
            return [Option.none<TaskEnded>(), park(state, claim, parking, now)] as const
          }
          const ending = { ...cancelled, spending: parking.spending }
          const [event, ended] = yield* Either.mapLeft(conclude(state, claim.taskId, ending, now), () => conflict)
          return [Option.some(event), ended] as const
        })
      )
    ),

    cancel: Effect.fn("Queue.cancel")(function* (id, request) {
      return yield* store.write<CancelAnswer, TaskNotFound>((state, now) => {
        const task = taskIn(state, id)
        if (task === undefined) return Either.left(new TaskNotFound({ reference: id }))
        if (isTerminal(task.status)) return Either.right(["over", state])
        if (task.cancelRequestedAt !== null) return Either.right(["requested", state])
        const asked = changed(state, id, {
          cancelRequestedAt: now,
          cancelReason: request.reason,
          cancelledBy: request.by
        })
        if (task.status === "running") return Either.right(["requested", asked])
        return Either.mapBoth(conclude(asked, id, cancelled, now), {
          onLeft: () => new TaskNotFound({ reference: id }),
          onRight: ([, ended]) => ["ended", ended]
        })
      })
    }),

    captured: Effect.fn("Queue.captured")(function* (id) {
      const found = yield* store.read((state) => {
        const stored = state.tasks.get(id)
        return (
          stored && {
            launch: stored.launch,
            environment: environmentIn(state, stored),
            revision: stored.revision,
            resumeSession: stored.resumeSession
          }
        )
      })
      return found === undefined ? yield* new TaskNotFound({ reference: id }) : found
    }),

    edit: Effect.fn("Queue.edit")((id, change, revision) =>
      store.write((state) =>
        Either.gen(function* () {
          const next = yield* edit(state, id, change, revision)
          return [taskIn(next, id) ?? (yield* Either.left(new TaskNotFound({ reference: id }))), next] as const
        })
      )
    ),

    putRight: store.write((state, now) => {
      const strayed = strayedPauses(state, now)
      const right = strayed.reduce((next, [id, pause]) => changed(next, id, { notBefore: now + pause }), state)
      return Either.right([strayed.length, right] as const)
    }),

    prune: ({ dryRun, endedBefore, limit }) =>
      store.write((state) => {
        const old = Array.from(state.tasks.values(), (stored) => stored.task)
          .filter((task) => task.endedAt !== null && task.endedAt < endedBefore)
          .filter((task) => isForgettable(state, task.id, endedBefore))
          .sort((left, right) => (left.endedAt ?? 0) - (right.endedAt ?? 0) || left.seq - right.seq)
          .slice(0, limit)
          .map((task) => task.id)
        return Either.right([old, dryRun ? state : old.reduce(deleted, settled(state))] as const)
      })
  })
})

export const layer = Layer.effect(Queue, make)
