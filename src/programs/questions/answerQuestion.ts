/** Stores a person's answer, and makes sure that a task that the question parked is started again. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import { type Question, QuestionId, questionName, questionNumber } from "../../domain/questions/Question.ts"
import { QuestionNotFound } from "../../domain/questions/QuestionErrors.ts"
import { Questions } from "../../services/Questions.ts"
import { Tasks } from "../../services/Tasks.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"

/** `q7`, `7`, or a task that has exactly one open question. */
export const resolveQuestion = Effect.fn("resolveQuestion")(function* (reference: string) {
  const questions = yield* Questions
  const number = questionNumber(reference)
  if (number !== null) return yield* questions.get(QuestionId.make(number))
  const tasks = yield* Tasks
  const taskId = yield* tasks
    .resolve(reference)
    .pipe(Effect.catchTag("TaskNotFound", () => new QuestionNotFound({ reference })))
  const all = yield* questions.ofTask(taskId)
  const open = all.filter(({ state }) => state === "open")
  const [only, ...others] = open
  if (only !== undefined && others.length === 0) return only
  const last = all.at(-1)
  if (only === undefined && last !== undefined) return last
  if (only === undefined) return yield* new QuestionNotFound({ reference })
  return yield* new InvalidInput({
    field: "question",
    problem: `task ${taskId} has ${open.length} open questions: ${open.map(({ id }) => questionName(id)).join(", ")}`,
    example: questionName(only.id)
  })
})

/** The text of an answer: a number chooses among the options, anything else is taken as it is. */
export const chosen = Effect.fn("chosen")(function* ({ id, options }: Pick<Question, "id" | "options">, text: string) {
  const number = /^\s*[0-9]{1,3}\s*$/.test(text) ? Number(text) : null
  if (options.length === 0 || number === null || options.includes(text.trim())) return text
  const option = options[number - 1]
  if (option !== undefined) return option
  return yield* new InvalidInput({
    field: "answer",
    problem: `question ${questionName(id)} has ${options.length} options, and ${number} is none of them`,
    example: "1"
  })
})

/** `denied`: the person refuses, and `text` says why; it may be empty. */
export const answerQuestion = Effect.fn("answerQuestion")(function* (
  question: Question,
  { by, denied, text }: { readonly text: string; readonly denied: boolean; readonly by: string }
) {
  const questions = yield* Questions
  const answered = yield* questions.answer(question.id, { by, denied, text })
  if (question.taskId !== null) yield* ensureWorker()
  return answered
})
