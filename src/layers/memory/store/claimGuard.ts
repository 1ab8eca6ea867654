/** The compare-and-set on a claim row: this claim, held by this worker. */
import * as Either from "effect/Either"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import type { Claim } from "../../../domain/worker/Claim.ts"
import type { Holder } from "../../../services/WorkerRegistry.ts"
import { claimWith, put, type State, type Step } from "./Store.ts"

/** The placeholder for the task of a claim that was never made. */
const nobody = TaskId.make("000000000000")

/** The claim row that `holder` holds. */
export const held = (state: State, holder: Holder, step: string): Either.Either<Claim, TaskStateConflict> => {
  const claim = claimWith(state, holder.claimId)
  if (claim?.workerId === holder.workerId) return Either.right(claim)
  const id = state.claimHistory.get(holder.claimId) ?? nobody
  return Either.left(new TaskStateConflict({ id, step, actual: state.tasks.get(id)?.task.status ?? "queued" }))
}

/** Changes the claim row that `holder` holds. */
export const changeHeld = (
  state: State,
  holder: Holder,
  step: string,
  change: (claim: Claim) => Claim
): Either.Either<Step<Claim>, TaskStateConflict> =>
  Either.map(held(state, holder, step), (claim) => {
    const next = change(claim)
    return [next, { ...state, claims: put(state.claims, next.taskId, next) }]
  })
