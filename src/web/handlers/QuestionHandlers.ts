/** Answers the requests about questions of agents. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import { answerQuestion, chosen, resolveQuestion } from "../../programs/questions/answerQuestion.ts"
import { inbox } from "../../programs/questions/inbox.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { Api } from "../api/Api.ts"
import { problemOf } from "../api/Problem.ts"
import { WebSession } from "../server/WebSession.ts"

const answer = Effect.fn("web.answer")(function* (reference: string, text: string, denied: boolean) {
  const { environment } = yield* WebSession
  const question = yield* resolveQuestion(reference)
  const by = yield* nameOf(submitterOf(environment))
  const said = denied ? text : yield* chosen(question, text)
  // A page that is closed takes no answer back, and no worker away from its task.
  return yield* Effect.uninterruptible(answerQuestion(question, { text: said, denied, by }))
})

export const QuestionHandlers = HttpApiBuilder.group(Api, "questions", (handlers) =>
  handlers
    .handle("inbox", () =>
      inbox().pipe(
        Effect.map((questions) => ({ questions })),
        Effect.mapError(problemOf)
      )
    )
    .handle("answer", ({ path, payload }) =>
      answer(path.question, payload.text, payload.deny ?? false).pipe(Effect.mapError(problemOf))
    )
)
