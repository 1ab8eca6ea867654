/** Questions in words, for people. */

import * as Effect from "effect/Effect"
import { type Question, questionName } from "../../domain/questions/Question.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { Questions } from "../../services/Questions.ts"
import { Terminal } from "../framework/Terminal.ts"
import { plain } from "./TaskTable.ts"

/** `Which database?  1 sqlite  2 postgres` */
export const questionWords = ({ options, text }: Pick<Question, "text" | "options">): string =>
  [plain(text), ...options.map((option, at) => `${at + 1} ${plain(option)}`)].join("  ")

/** `q7: Which database?  1 sqlite  2 postgres. To answer: beat answer q7 TEXT` */
export const askedWords = (question: Pick<Question, "id" | "text" | "options">): string => {
  const name = questionName(question.id)
  const reply = question.options.length === 0 ? "TEXT" : "NUMBER"
  return `${name}: ${questionWords(question)}\nTo answer: beat answer ${name} ${reply}`
}

/** Prints the questions of at most this many tasks: a caller that waits for more looks into the inbox. */
const most = 5

/** Prints the questions of these tasks on stderr. */
export const tellQuestions = Effect.fn("tellQuestions")(function* (
  tasks: ReadonlyArray<Pick<TaskSummary, "id" | "asks">>
) {
  const terminal = yield* Terminal
  const questions = yield* Questions
  for (const { id } of tasks.filter(({ asks }) => asks > 0).slice(0, most)) {
    for (const question of yield* questions.ofTask(id)) {
      if (question.state === "open") yield* terminal.say(`${id} asks ${askedWords(question)}`)
    }
  }
})
