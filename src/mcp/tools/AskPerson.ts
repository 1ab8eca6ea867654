/** Asks a person, from inside a task or from a client's own session. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { answerWords, QuestionOptions, QuestionText, questionName } from "../../domain/questions/Question.ts"
import { askPerson as ask } from "../../programs/questions/askPerson.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { whole, withDefault } from "../fields/Fields.ts"
import { withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

/** Less than a minute, because clients give up on a call after a minute. */
const longestWaitS = 50

const Output = Schema.Struct({
  /** `q7`. */
  question: Schema.String,
  /** Null: there is no answer yet. */
  answer: Schema.NullOr(Schema.String),
  /** The person refuses. */
  denied: Schema.Boolean,
  /** What to do now, where there is no answer. */
  next: Schema.NullOr(Schema.String)
})

export const askPerson = tool({
  name: "AskPerson",
  title: "Ask a person",
  description:
    "Ask a person. Without an answer in time, end your turn: you are resumed with it. The same text asks once.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: Schema.Struct({
    question: QuestionText,
    options: Schema.optional(QuestionOptions.annotations({ description: "Answers to choose from" })),
    wait_s: withDefault(whole(0, longestWaitS, "Seconds to wait"), longestWaitS)
  }),
  output: Output,
  example: { question: "Which database?", options: ["sqlite", "postgres"], wait_s: 50 },
  handle: Effect.fn("AskPerson")(function* (input, call) {
    const session = yield* Session
    const submitter = submitterOf(session.environment)
    const { taskId } = submitter
    const askedBy = taskId === null && call.client !== null ? call.client : yield* nameOf(submitter)
    const asked = { taskId, askedBy, text: input.question, options: input.options ?? [] }
    const waitMs = call.handleOnly ? 0 : input.wait_s * 1000
    const found = yield* ask(asked, waitMs, () => session.leaving).pipe(
      withProgress(call, Effect.succeed("waiting for the answer of a person"))
    )
    const name = questionName(found.id)
    return {
      question: name,
      answer: found.answer === null ? null : answerWords(found),
      denied: found.denied,
      next:
        found.answer !== null
          ? null
          : found.state === "gone"
            ? "The task of this question has ended: there will be no answer."
            : taskId === null
              ? `Stored as ${name}. Call again with the same text to get the answer.`
              : `Stored as ${name}. End your turn now: you will be resumed with the answer.`
    }
  })
})
