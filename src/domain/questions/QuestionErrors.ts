/** What goes wrong with questions. */
import * as Schema from "effect/Schema"
import { Timestamp } from "../task/Task.ts"
import { QuestionId, questionBounds, questionName } from "./Question.ts"

export class QuestionNotFound extends Schema.TaggedError<QuestionNotFound>()("QuestionNotFound", {
  reference: Schema.String
}) {
  override get message(): string {
    return `There is no question '${this.reference}'. 'beat inbox' shows the open ones.`
  }
}

/** Another answer was first, or the task of the question has ended. */
export class QuestionClosed extends Schema.TaggedError<QuestionClosed>()("QuestionClosed", {
  id: QuestionId,
  /** Who answered first; null: the task ended without an answer. */
  by: Schema.NullOr(Schema.String),
  at: Schema.NullOr(Timestamp),
  answer: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    const name = questionName(this.id)
    return this.by === null
      ? `The task of question ${name} has ended, and needs no answer any more.`
      : `Question ${name} was answered before, by ${this.by}: ${this.answer === "" ? "declined" : this.answer}`
  }
}

export class TooManyQuestions extends Schema.TaggedError<TooManyQuestions>()("TooManyQuestions", {
  bound: Schema.Literal("openOfTask", "ofTask", "open")
}) {
  override get message(): string {
    const most = questionBounds[this.bound]
    switch (this.bound) {
      case "openOfTask":
        return `This task has ${most} open questions. End your turn: you are resumed when they are answered.`
      case "ofTask":
        return `This task has asked ${most} questions, which is the most that one task may ask. Decide without an answer.`
      case "open":
        return `${most} questions are open. A person has to answer some of them first: beat inbox`
    }
  }
}
