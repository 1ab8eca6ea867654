/** The registry of workers and runtimes over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { RuntimeId } from "../../domain/Runtime.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { changeHeld } from "./holding.ts"
import { put, type State, Store, without, workerWith } from "./Store.ts"

type When = "always" | "idle" | { readonly superseded: RuntimeId }

const mayLeave = (state: State, when: When): boolean => {
  if (when === "always") return true
  if (when !== "idle") return state.runtimes.has(when.superseded)
  if (Array.from(state.schedules.values()).some(({ schedule }) => schedule.status === "active")) return false
  return !Array.from(state.tasks.values()).some(({ task }) => task.status === "queued" || task.status === "running")
}

const later = (deadline: number | null, ms: number): number | null =>
  deadline === null ? null : Math.min(deadline + ms, Number.MAX_SAFE_INTEGER)

const make = Effect.gen(function* () {
  const store = yield* Store

  return WorkerRegistry.of({
    register: (runtime) =>
      store.write((state) =>
        Either.right([undefined, { ...state, runtimes: put(state.runtimes, runtime.id, runtime) }] as const)
      ),

    leave: (id, when) =>
      store.write((state) =>
        Either.right(
          state.runtimes.has(id) && mayLeave(state, when)
            ? ([true, { ...state, runtimes: without(state.runtimes, id) }] as const)
            : ([false, state] as const)
        )
      ),

    runtimes: store.read((state) =>
      Array.from(state.runtimes.values()).sort((left, right) => left.startedAt - right.startedAt)
    ),

    workers: store.read((state) =>
      Array.from(state.workers.values()).sort((left, right) => left.claimedAt - right.claimedAt)
    ),

    workerOf: (taskId) => store.read((state) => Option.fromNullable(state.workers.get(taskId))),

    started: (holder, process) =>
      store.write((state, now) =>
        changeHeld(state, holder, "start", (worker) => ({
          ...worker,
          state: "running",
          process,
          bootId: process.bootId,
          runningAt: worker.runningAt ?? now
        }))
      ),

    stopping: (holder, cause) =>
      store.write((state, now) =>
        changeHeld(state, holder, "stop", (worker) =>
          worker.stopCause === null ? { ...worker, stopCause: cause, stopAt: now } : worker
        )
      ),

    postpone: (holder, sleptMs) =>
      store.write((state) =>
        changeHeld(state, holder, "postpone", (worker) => ({
          ...worker,
          deadlineUptime: later(worker.deadlineUptime, sleptMs)
        }))
      ),

    adopt: (claimId, from, to) =>
      store.write((state) => {
        const worker = workerWith(state, claimId)
        return Either.right(
          worker?.runtimeId === from
            ? ([true, { ...state, workers: put(state.workers, worker.taskId, { ...worker, runtimeId: to }) }] as const)
            : ([false, state] as const)
        )
      })
  })
})

export const layer = Layer.effect(WorkerRegistry, make)
