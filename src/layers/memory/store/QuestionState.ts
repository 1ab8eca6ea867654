/** Questions on the in-memory state: what claims and ends of tasks do to them. */
import { questionsIn } from "../../../domain/questions/AgentRequest.ts"
import { type Question, QuestionId } from "../../../domain/questions/Question.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import type { AskedOver } from "../../../services/OutputStore.ts"
import { changed, type State, type StoredQuestion } from "./Store.ts"

/** With what the agent of a running task asks, once for each request of a claim. */
export const askedOver = (state: State, taskId: TaskId, asked: ReadonlyArray<AskedOver>, now: number): State => {
  const claimId = state.claims.get(taskId)?.claimId
  if (claimId === undefined) return state
  return asked.reduce<State>((before, { request, ruled }) => {
    if (before.requests.some((one) => one.claimId === claimId && one.request.requestId === request.requestId))
      return before
    let next = before
    const questions = (ruled === null ? questionsIn(request) : []).map(({ options, text }) => {
      const known = next.questions.find(({ question }) => question.taskId === taskId && question.text === text)
      if (known !== undefined) return known.question.id
      const question: Question = {
        id: QuestionId.make(next.lastQuestion + 1),
        taskId,
        askedBy: `task ${taskId}`,
        text,
        options,
        state: "open",
        askedAt: now,
        answer: null,
        denied: false,
        answeredBy: null,
        answeredAt: null
      }
      const asks = (next.tasks.get(taskId)?.task.asks ?? 0) + 1
      next = changed(
        { ...next, lastQuestion: question.id, questions: [...next.questions, { question, claimId: null }] },
        taskId,
        { asks }
      )
      return question.id
    })
    const stored = { seq: next.requests.length + 1, claimId, request, ruled, questions, written: false }
    return { ...next, requests: [...next.requests, stored] }
  }, state)
}

/** The agent has the answers to these requests. */
export const repliedTo = (state: State, taskId: TaskId, requestIds: ReadonlyArray<string>): State => {
  const claimId = state.claims.get(taskId)?.claimId
  const ids = state.requests
    .filter((one) => one.claimId === claimId && requestIds.includes(one.request.requestId))
    .flatMap(({ questions }) => questions)
  return mapped(state, (stored) =>
    ids.includes(stored.question.id) && stored.question.state === "answered"
      ? { ...stored, question: { ...stored.question, state: "taken" } }
      : stored
  )
}

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
