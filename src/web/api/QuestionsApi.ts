/** The requests about questions of agents: what waits for a person, and the answer. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AnswerText, Question } from "../../domain/questions/Question.ts"
import { Inbox } from "../../programs/questions/inbox.ts"

const question = HttpApiSchema.param(
  "question",
  Schema.NonEmptyString.pipe(Schema.maxLength(64)).annotations({
    description: "Number of the question, e.g. q7, or a task that has one open question"
  })
)

export const Answer = Schema.Struct({
  text: AnswerText.annotations({ description: "The answer, or the number of an option; with deny, the reason" }),
  deny: Schema.optional(Schema.Boolean.annotations({ description: "The agent is told that you declined" }))
}).annotations({ identifier: "AnswerQuestion" })

export const QuestionsApi = HttpApiGroup.make("questions")
  .add(
    HttpApiEndpoint.get("inbox", "/questions")
      .addSuccess(Inbox)
      .annotate(OpenApi.Summary, "The open questions of agents, oldest first, at most 200")
  )
  .add(
    HttpApiEndpoint.post("answer")`/questions/${question}/answer`
      .setPayload(Answer)
      .addSuccess(Question)
      .annotate(OpenApi.Summary, "Answer a question; the first answer counts")
  )
