/** The compare-and-set on a worker row: this claim, held by this runtime. */
import * as Either from "effect/Either"
import { TaskStateConflict } from "../../domain/Errors.ts"
import { TaskId } from "../../domain/Task.ts"
import type { Worker } from "../../domain/Worker.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { put, type State, type Step, workerWith } from "./Store.ts"

/** Stands for the task of a claim that was never made. */
const nobody = TaskId.make("000000000000")

/** The worker row that `holder` holds. */
export const held = (state: State, holder: Holder, step: string): Either.Either<Worker, TaskStateConflict> => {
  const worker = workerWith(state, holder.claimId)
  if (worker?.runtimeId === holder.runtimeId) return Either.right(worker)
  const id = state.claims.get(holder.claimId) ?? nobody
  return Either.left(new TaskStateConflict({ id, step, actual: state.tasks.get(id)?.task.status ?? "queued" }))
}

/** Changes the worker row that `holder` holds. */
export const changeHeld = (
  state: State,
  holder: Holder,
  step: string,
  change: (worker: Worker) => Worker
): Either.Either<Step<Worker>, TaskStateConflict> =>
  Either.map(held(state, holder, step), (worker) => {
    const next = change(worker)
    return [next, { ...state, workers: put(state.workers, next.taskId, next) }]
  })
