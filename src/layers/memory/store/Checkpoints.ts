/** Checkpoints over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { TaskNotFound } from "../../../domain/Errors.ts"
import { Checkpoints } from "../../../services/Checkpoints.ts"
import { claimWith, put, Store } from "./Store.ts"

const make = Effect.gen(function* () {
  const store = yield* Store

  return Checkpoints.of({
    started: (claimId, head) =>
      store.write((state) => {
        const claim = claimWith(state, claimId)
        const next = claim === undefined ? state : { ...state, starts: put(state.starts, claim.taskId, head) }
        return Either.right([undefined, next] as const)
      }),

    startOf: (id) => store.read((state) => Option.fromNullable(state.starts.get(id))),

    store: (checkpoint) =>
      store.write((state) => {
        const { taskId } = checkpoint
        const first = state.checkpoints.get(taskId)
        if (first !== undefined) return Either.right([first, state] as const)
        if (!state.tasks.has(taskId)) return Either.left(new TaskNotFound({ reference: taskId }))
        return Either.right([
          checkpoint,
          { ...state, checkpoints: put(state.checkpoints, taskId, checkpoint) }
        ] as const)
      }),

    get: (id) => store.read((state) => Option.fromNullable(state.checkpoints.get(id))),

    missing: (after, limit) =>
      store.read((state) =>
        state.outbox
          .flatMap((event) => (event.kind === "task" && event.seq > after ? [event] : []))
          .filter(({ id }) => !state.checkpoints.has(id) && state.tasks.get(id)?.task.startedAt != null)
          .slice(0, limit)
          .map(({ at, id, seq }) => ({ seq, taskId: id, at }))
      ),

    reached: store.read((state) => state.checkpointsReached),

    advance: (seq) =>
      store.write((state) =>
        Either.right([undefined, { ...state, checkpointsReached: Math.max(seq, state.checkpointsReached) }] as const)
      )
  })
})

export const layer = Layer.effect(Checkpoints, make)
