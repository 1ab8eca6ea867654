/** Questions on the in-memory state: what claims and ends of tasks do to them. */
import type { TaskId } from "../../../domain/task/Task.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import type { State, StoredQuestion } from "./Store.ts"

const mapped = (state: State, change: (stored: StoredQuestion) => StoredQuestion): State => ({
  ...state,
  questions: state.questions.map(change)
})

/** The turn that begins with the claim is given the answers. */
export const given = (state: State, taskId: TaskId, claimId: ClaimId): State =>
  mapped(state, (stored) =>
    stored.question.taskId === taskId && stored.question.state === "answered"
      ? { claimId, question: { ...stored.question, state: "taken" } }
      : stored
  )

/** That turn did not happen, or the agent may not have seen the answers: the next turn begins with them again. */
export const givenBack = (state: State, claimId: ClaimId): State =>
  mapped(state, (stored) =>
    stored.claimId === claimId && stored.question.state === "taken"
      ? { claimId: null, question: { ...stored.question, state: "answered" } }
      : stored
  )

/** The task has ended, and needs no answer any more. */
export const closed = (state: State, taskId: TaskId): State =>
  mapped(state, (stored) =>
    stored.question.taskId === taskId && stored.question.state === "open"
      ? { ...stored, question: { ...stored.question, state: "gone" } }
      : stored
  )
