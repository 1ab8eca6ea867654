/** A task in a few lines, for callers that read every word: its status, what it waits for, how it ended. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LimitWait } from "../../domain/limits/AccountLimits.ts"
import { Question } from "../../domain/questions/Question.ts"
import {
  EndCause,
  FailureClass,
  isTerminal,
  TaskId,
  TaskStatus,
  type TaskSummary,
  Timestamp
} from "../../domain/task/Task.ts"
import { Questions } from "../../services/Questions.ts"
import { Tasks } from "../../services/Tasks.ts"
import { waitsFor } from "../why/waitsFor.ts"
import { why } from "../why/why.ts"

/** Characters of an answer that are shown before one has to ask for all of it. */
const answerExcerpt = 500

export const TaskState = Schema.Struct({
  id: TaskId,
  /** The first line of the prompt, at most 100 characters. */
  title: Schema.String,
  status: TaskStatus,
  agent: Schema.String,
  /** Queued tasks that start before it; null when it is not queued. */
  ahead: Schema.NullOr(Schema.Int),
  /** What it waits for, in words; null when it waits for nothing. */
  waitsFor: Schema.NullOr(Schema.String),
  /** The usage limit that it waits for, and how often it was parked; null when it waits for none. */
  parked: Schema.NullOr(Schema.Struct({ ...LimitWait.fields, parks: Schema.Int })),
  /** Its open questions, which only a person answers; null when there is none. */
  asks: Schema.NullOr(Schema.Array(Question.pick("id", "text", "options"))),
  startedAt: Schema.NullOr(Timestamp),
  endedAt: Schema.NullOr(Timestamp),
  cause: Schema.NullOr(EndCause),
  exitCode: Schema.NullOr(Schema.Int),
  error: Schema.NullOr(Schema.String),
  failureClass: Schema.NullOr(FailureClass),
  failureResetAt: Schema.NullOr(Timestamp),
  /** The final answer, cut at 500 characters. */
  answer: Schema.NullOr(Schema.String),
  /** True where there is more of the answer. */
  answerCut: Schema.NullOr(Schema.Literal(true))
}).annotations({ identifier: "TaskState" })
export type TaskState = typeof TaskState.Type

/** The first `length` characters, never half of one, with a mark where there were more. */
export const cutText = (text: string, length: number): string => {
  if (text.length <= length) return text
  const characters = Array.from(text.slice(0, length * 2))
  return characters.length <= length && text.length <= length * 2
    ? text
    : `${characters.slice(0, Math.max(0, length - 1)).join("")}…`
}

/** What its row alone says of a task. */
export const briefState = (summary: TaskSummary): TaskState => ({
  id: summary.id,
  title: cutText(summary.title, 100),
  status: summary.status,
  agent: summary.agent,
  ahead: null,
  waitsFor: null,
  parked: null,
  asks: null,
  startedAt: summary.startedAt,
  endedAt: summary.endedAt,
  cause: summary.cause,
  exitCode: summary.exitCode,
  error: summary.error,
  failureClass: summary.failureClass,
  failureResetAt: summary.failureResetAt,
  answer: null,
  answerCut: null
})

/** Of a task that has just been read. */
export const stateOf = Effect.fn("stateOf")(function* (summary: TaskSummary) {
  const tasks = yield* Tasks
  const { id } = summary
  const over = isTerminal(summary.status)
  const answer = over ? (yield* tasks.get(id)).answer : null
  const now = yield* Clock.currentTimeMillis
  const found = summary.status === "queued" || summary.asks > 0 || summary.frozenAt !== null ? yield* why(id) : null
  const wait = found?.reason === "limit" ? yield* tasks.limitWait(id) : Option.none()
  const asked = summary.asks === 0 ? [] : yield* (yield* Questions).ofTask(id)
  const asks = asked
    .filter((question) => question.state === "open")
    .map((question) => ({ id: question.id, text: question.text, options: question.options }))
  const state: TaskState = {
    ...briefState(summary),
    ahead: summary.status === "queued" ? Option.getOrNull(yield* tasks.ahead(id)) : null,
    waitsFor: found === null ? null : waitsFor(found, now),
    parked: Option.getOrNull(Option.map(wait, (one) => ({ ...one, parks: summary.parks }))),
    asks: asks.length === 0 ? null : asks,
    answer: answer === null ? null : cutText(answer, answerExcerpt),
    answerCut: answer !== null && answer.length > answerExcerpt ? true : null
  }
  return state
})

export const taskState = Effect.fn("taskState")(function* (id: TaskId) {
  return yield* stateOf(yield* (yield* Tasks).summary(id))
})
