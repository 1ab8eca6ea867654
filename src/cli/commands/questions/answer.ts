/** `beat answer`: a person answers a question of an agent. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import { AnswerText, Question, questionName } from "../../../domain/questions/Question.ts"
import { answerQuestion, chosen, resolveQuestion } from "../../../programs/questions/answerQuestion.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Gates } from "../../../services/Gates.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { readPrompt } from "../../input/Prompt.ts"
import { json, optionalText } from "../../input/Values.ts"

const decodeAnswer = Schema.decodeUnknownOption(AnswerText)

export const answer = readWriteCommand({
  name: "answer",
  forPersons: "answer questions",
  section: "tasks",
  summary: "Answer a question of an agent",
  details:
    "The first answer counts; a later command prints who was first, and exits with 1. A task that the question parked continues with the answer, in its session if its agent has one. A number chooses one of the options; any other text is an answer too.",
  examples: [
    ["beat answer q7 2", "the second option"],
    ['beat answer q7 "use the one in docker-compose.yml"', "your own answer"],
    ['beat answer q7 --deny "not on main"', "no, and why"],
    ["beat answer k3v yes", "the open question of a task"]
  ],
  options: Options.all({
    deny: optionalText("deny", "text").pipe(
      Options.withDescription("Decline, with this reason, which may be empty: the agent is told that you declined")
    ),
    json
  }),
  args: Args.all({
    question: Args.text({ name: "question" }).pipe(
      Args.withDescription("Number of the question, e.g. q7, or a task that has one open question")
    ),
    answer: Args.optional(
      Args.text({ name: "answer" }).pipe(Args.withDescription("The answer, the number of an option, or - for stdin"))
    )
  }),
  completes: "none",
  run: Effect.fn("beat.answer")(function* ({ deny, json: asJson }, given) {
    const terminal = yield* Terminal
    const word = Option.getOrUndefined(given.answer)
    if (deny !== null && word !== undefined) {
      return yield* new UsageError({
        problem: "An answer and --deny cannot be given together",
        hint: `beat answer ${given.question} --deny "not on main"`
      })
    }
    const question = yield* resolveQuestion(given.question)
    const written = deny ?? (yield* readPrompt(word, "answer")).trimEnd()
    const text = Option.getOrNull(decodeAnswer(deny === null ? yield* chosen(question, written) : written))
    if (text === null) {
      return yield* new InvalidInput({ field: "answer", problem: "has more than 20,000 characters", example: null })
    }
    const by = yield* nameOf(submitterOf((yield* Caller).environment))
    const { taskId } = question
    const before = taskId === null ? null : yield* Effect.orElseSucceed((yield* Tasks).summary(taskId), () => null)
    const isPaused = (yield* (yield* Gates).list).some(({ name, scope }) => scope === "task" && name === taskId)
    const answered = yield* answerQuestion(question, { text, denied: deny !== null, by })
    if (asJson) yield* printJson(Question, answered)
    else {
      const parked = before?.status === "queued"
      const next = isPaused
        ? `is paused: beat resume ${taskId}`
        : !parked
          ? "gets it now."
          : before.asks > 1
            ? "has another open question."
            : "continues with it."
      yield* terminal.say(
        `Answered ${questionName(question.id)}.${taskId === null ? "" : ` ${parked || isPaused ? "Task" : "The agent of task"} ${taskId} ${next}`}`
      )
    }
    return ExitCode.ok
  })
})
