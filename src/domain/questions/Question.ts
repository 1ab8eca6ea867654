/** A question that an agent puts to a person: it is stored, and outlives the agent, its worker and a reboot. */
import * as Schema from "effect/Schema"
import { TaskId, Timestamp } from "../task/Task.ts"

/** Shown as `q7`. */
export const QuestionId = Schema.Int.pipe(Schema.positive(), Schema.brand("QuestionId"))
export type QuestionId = typeof QuestionId.Type

export const QuestionText = Schema.NonEmptyString.pipe(Schema.maxLength(4000))

/** Answers to choose from. A person may give another one. */
export const QuestionOptions = Schema.Array(Schema.NonEmptyString.pipe(Schema.maxLength(200))).pipe(Schema.maxItems(20))

export const AnswerText = Schema.String.pipe(Schema.maxLength(20_000))

/** Open questions of one task, all questions of one task, and open questions in all. */
export const questionBounds = { openOfTask: 20, ofTask: 1000, open: 1000 } as const

/**
 * `open`: it has no answer. `answered`: the agent has not got the answer yet. `taken`: it has, or its next turn begins
 * with it. `gone`: its task ended without an answer.
 */
const QuestionState = Schema.Literal("open", "answered", "taken", "gone")

export const Question = Schema.Struct({
  id: QuestionId,
  /** The task whose agent asks; null: a client outside of any task. */
  taskId: Schema.NullOr(TaskId),
  /** `task <id>`, or the name of the user whose client asks. */
  askedBy: Schema.String,
  text: QuestionText,
  options: QuestionOptions,
  state: QuestionState,
  askedAt: Timestamp,
  answer: Schema.NullOr(AnswerText),
  /** The person refuses: `answer` says why, and may be empty. */
  denied: Schema.Boolean,
  answeredBy: Schema.NullOr(Schema.String),
  answeredAt: Schema.NullOr(Timestamp)
}).annotations({ identifier: "Question" })
export type Question = typeof Question.Type

/** What a person answers. */
export const Reply = Schema.Struct({ text: AnswerText, denied: Schema.Boolean, by: Schema.String })
export type Reply = typeof Reply.Type

export const questionName = (id: number): string => `q${id}`

/** The number in `q7` or `7`; null where it is something else. */
export const questionNumber = (reference: string): number | null => {
  const digits = /^q?([1-9][0-9]{0,14})$/i.exec(reference.trim())?.[1]
  return digits === undefined ? null : Number(digits)
}

/** An answer as the agent reads it. */
export const answerWords = ({ answer, denied }: Pick<Question, "answer" | "denied">): string =>
  denied ? `The person declined${answer === null || answer === "" ? "." : `: ${answer}`}` : (answer ?? "")

/** The text that an agent gets in the turn that follows its questions. */
export const answeredPrompt = (questions: ReadonlyArray<Pick<Question, "text" | "answer" | "denied">>): string =>
  [
    ...questions.map((question) =>
      question.denied
        ? `You asked: ${question.text}\n${answerWords(question)}`
        : `You asked: ${question.text}\nThe answer is: ${answerWords(question)}`
    ),
    "Continue where you stopped. Do not repeat steps that are done."
  ].join("\n\n")
