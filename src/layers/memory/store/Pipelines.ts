/** Pipelines over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { fingerprint, isKept, tasksOf } from "../../../domain/pipeline/Pipeline.ts"
import {
  PipelineKeyConflict,
  PipelineNotFound,
  PipelineRetryConflict
} from "../../../domain/pipeline/PipelineErrors.ts"
import { outcome } from "../../../domain/task/Outcome.ts"
import { isTerminal, type PipelineId, type TaskId } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { type CreatedPipeline, Pipelines } from "../../../services/Pipelines.ts"
import type { CancelAnswer } from "../../../services/Queue.ts"
import { connectAll, releaseDependents } from "./Graph.ts"
import { conclude, submit } from "./Lifecycle.ts"
import { concludePipelines, pipelineIn, withoutSteps } from "./PipelineState.ts"
import { changed, put, type State, Store, type StoredPipeline, taskIn } from "./Store.ts"

const cancelUnstarted = (state: State, id: TaskId, now: number): State =>
  Either.match(conclude(state, id, outcome({ status: "cancelled", cause: "cancelled" }), now), {
    onLeft: () => state,
    onRight: ([, next]) => next
  })

const make = Effect.gen(function* () {
  const store = yield* Store
  const ids = yield* Ids

  const missing = (reference: string) => Either.left(new PipelineNotFound({ reference, candidates: [] }))

  /** Those that wait for others first. */
  const cancelOrder = (state: State, { steps }: StoredPipeline): ReadonlyArray<TaskId> => {
    const height = (id: TaskId): number =>
      1 +
      Math.max(
        0,
        ...(taskIn(state, id)?.dependsOn ?? []).map((edge) => (edge.state === "pending" ? height(edge.taskId) : 0))
      )
    return steps
      .map(({ taskId }, position) => ({ taskId, position, height: height(taskId) }))
      .sort((left, right) => right.height - left.height || right.position - left.position)
      .map(({ taskId }) => taskId)
  }

  return Pipelines.of({
    create: Effect.fn("Pipelines.create")(function* (pipeline, { maxDepth }) {
      const id = yield* ids.pipeline
      const digest = yield* ids.digest(fingerprint(pipeline))
      const tasks = tasksOf(pipeline)
      const named = yield* Effect.forEach(tasks, (task) => Effect.map(ids.task, (id) => ({ task, id })))
      return yield* store.write((state, now) =>
        Either.gen(function* () {
          const { idempotencyKey: key, name, retryOf } = pipeline
          const twin = Array.from(state.pipelines.values()).find((x) => key !== null && x.idempotencyKey === key)
          if (twin !== undefined) {
            if (twin.digest !== digest) {
              return yield* Either.left(new PipelineKeyConflict({ key: key ?? "", existing: twin.id }))
            }
            const known: CreatedPipeline = { pipeline: pipelineIn(state, twin), created: false }
            return [known, state] as const
          }
          const retrying = Array.from(state.pipelines.values()).find(
            (other) => retryOf !== null && other.retryOf === retryOf && !isTerminal(pipelineIn(state, other).status)
          )
          if (retryOf !== null && retrying !== undefined) {
            return yield* Either.left(new PipelineRetryConflict({ id: retryOf, by: retrying.id }))
          }
          let next = state
          for (const { id: taskId, task } of named) {
            const [, after] = yield* submit(next, task, { id: taskId, now, maxDepth })
            next = changed(after, taskId, { pipelineId: id })
          }
          next = yield* connectAll(next, tasks, (member) => {
            const one = named[member]
            return one === undefined ? undefined : { id: one.id, created: true }
          })
          next = releaseDependents(next, [], now)[1]
          let member = 0
          const steps = pipeline.steps.flatMap(({ contest: _contest, work, ...step }) => {
            const taskId = isKept(work) ? work.kept : named[member++]?.id
            return taskId === undefined ? [] : [{ ...step, taskId }]
          })
          const stored: StoredPipeline = {
            id,
            seq: state.lastPipeline + 1,
            name,
            retryOf,
            idempotencyKey: key,
            digest,
            createdAt: now,
            cancelRequestedAt: null,
            cancelReason: null,
            cancelledBy: null,
            steps
          }
          next = { ...next, pipelines: put(next.pipelines, id, stored), lastPipeline: stored.seq }
          next = concludePipelines(next, [id], now)
          const created: CreatedPipeline = { pipeline: pipelineIn(next, stored), created: true }
          return [created, next] as const
        })
      )
    }),

    get: Effect.fn("Pipelines.get")(function* (id) {
      return yield* yield* store.read((state) => {
        const stored = state.pipelines.get(id)
        return stored === undefined ? missing(id) : Either.right(pipelineIn(state, stored))
      })
    }),

    resolve: Effect.fn("Pipelines.resolve")(function* (reference) {
      const known = yield* store.read((state) => Array.from(state.pipelines.keys()))
      const named = yield* store.read((state) =>
        Array.from(state.pipelines.values(), (stored) => withoutSteps(pipelineIn(state, stored)))
          .filter(({ name }) => name === reference)
          .at(-1)
      )
      if (reference !== "@last" && named !== undefined && !known.some((id) => id === reference)) return named.id
      const fits =
        reference === "@last"
          ? known.slice(-1)
          : known.filter((id) => reference !== "" && id.startsWith(reference)).slice(0, 10)
      const [first, second] = fits
      if (first !== undefined && second === undefined) return first
      return yield* new PipelineNotFound({ reference, candidates: fits })
    }),

    answerRule: (task) =>
      store.read((state) => {
        const steps = Array.from(state.pipelines.values()).flatMap((stored) => stored.steps)
        return Option.fromNullable(steps.find(({ taskId }) => taskId === task)?.gate)
      }),

    list: ({ before, limit, status }) =>
      store.read((state) => {
        const fits = Array.from(state.pipelines.values(), (stored) => withoutSteps(pipelineIn(state, stored)))
          .filter(
            (pipeline) =>
              (before === null || pipeline.seq < before) && (status.length === 0 || status.includes(pipeline.status))
          )
          .reverse()
        return { pipelines: fits.slice(0, limit), more: fits.length > limit }
      }),

    cancel: Effect.fn("Pipelines.cancel")((id: PipelineId, { by, reason }) =>
      store.write((state, now) =>
        Either.gen(function* () {
          const stored = state.pipelines.get(id)
          if (stored === undefined) return yield* missing(id)
          const asked = { cancelRequestedAt: now, cancelReason: reason, cancelledBy: by }
          const open = cancelOrder(state, stored).filter((task) =>
            ["queued", "running"].includes(taskIn(state, task)?.status ?? "")
          )
          const answer = (given: CancelAnswer) => given
          if (open.length === 0) return [answer("over"), state] as const
          const runs = open.some((task) => taskIn(state, task)?.status === "running")
          let next = state
          if (stored.cancelRequestedAt === null)
            next = { ...next, pipelines: put(next.pipelines, id, { ...stored, ...asked }) }
          for (const task of open) {
            if (taskIn(next, task)?.cancelRequestedAt === null) next = changed(next, task, asked)
            if (taskIn(next, task)?.status === "queued") next = cancelUnstarted(next, task, now)
          }
          return [answer(runs ? "requested" : "ended"), next] as const
        })
      )
    )
  })
})

export const layer = Layer.effect(Pipelines, make)
