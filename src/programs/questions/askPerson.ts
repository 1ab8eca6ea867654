/** Asks a person from inside a task: stores the question and waits a moment for the answer. The question outlives the agent that asked. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Question, QuestionId } from "../../domain/questions/Question.ts"
import { EndWatch } from "../../services/EndWatch.ts"
import { type Asked, Questions } from "../../services/Questions.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { watch } from "../watch.ts"

const isOpen = ({ state }: Question): boolean => state === "open"

/** Returns when the question is no longer open. If its task was pruned, there will be no answer. */
const untilClosed = Effect.fn("askPerson.wait")(function* (id: QuestionId) {
  // A server shares one look among all its calls.
  const shared = yield* Effect.serviceOption(EndWatch)
  if (Option.isSome(shared)) return yield* shared.value.untilClosed(id)
  const questions = yield* Questions
  const question = Effect.map(Effect.option(retryWhileBusy(questions.get(id))), Option.filter(isOpen))
  yield* watch(question, Option.isNone)
})

/**
 * The question as it is after at most `waitMs`. An answer that this returns counts as taken. `enough` begins with the wait and ends it
 * early.
 */
export const askPerson = Effect.fn("askPerson")(function* (
  asked: Asked,
  waitMs: number,
  enough: (question: Question) => Effect.Effect<void> = () => Effect.never
) {
  const questions = yield* Questions
  const began = yield* elapsedMs
  const question = yield* retryWhileBusy(questions.ask(asked))
  if (isOpen(question) && waitMs > 0) {
    const left = Math.max(0, waitMs - ((yield* elapsedMs) - began))
    yield* Effect.raceFirst(untilClosed(question.id), enough(question)).pipe(Effect.timeoutOption(left))
  }
  const now = isOpen(question) ? yield* retryWhileBusy(questions.get(question.id)) : question
  if (now.state === "answered") yield* retryWhileBusy(questions.take(now.id))
  return now
})
