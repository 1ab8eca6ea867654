/** `beat ask`: an agent that has a shell asks a person. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import {
  answerWords,
  Question,
  QuestionOptions,
  QuestionText,
  questionName
} from "../../../domain/questions/Question.ts"
import { askPerson } from "../../../programs/questions/askPerson.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { readPrompt } from "../../input/Prompt.ts"
import { duration, json } from "../../input/Values.ts"

const decodeText = Schema.decodeUnknownOption(QuestionText)
const decodeOptions = Schema.decodeUnknownOption(QuestionOptions)

/** What a question may be. */
const readQuestion = Effect.fn("readQuestion")(function* (text: string, options: ReadonlyArray<string>) {
  const question = Option.getOrNull(decodeText(text.trim()))
  if (question === null) {
    return yield* new InvalidInput({ field: "question", problem: "has 1 to 4000 characters", example: null })
  }
  const known = Option.getOrNull(decodeOptions(options))
  if (known === null) {
    return yield* new InvalidInput({
      field: "--option",
      problem: "at most 20, each of 1 to 200 characters",
      example: "sqlite"
    })
  }
  return { text: question, options: known }
})

export const ask = readWriteCommand({
  name: "ask",
  section: "tasks",
  summary: "Ask a person from inside a task, and print the answer",
  details:
    "Prints the answer and exits with 0. If the person declined, prints why and exits with 1. If there is no answer in time, exits with 75: the question stays open, the agent should end its turn, and its task continues with the answer. The same text is the same question, so a script that runs again gets the answer. The task shows 'asks' and does not run meanwhile. Outside of a task the question is shown in 'beat inbox' too.",
  examples: [
    ['beat ask "Which database?" --option sqlite --option postgres', "wait up to 50 seconds for the answer"],
    ['port=$(beat ask "Which port?") || exit', "in a script: it ends, and runs again with the answer"]
  ],
  options: Options.all({
    option: Options.text("option").pipe(
      Options.withPseudoName("text"),
      Options.withAlias("o"),
      Options.repeated,
      Options.withDescription("Offer this answer; repeatable")
    ),
    wait: duration("wait").pipe(
      Options.withAlias("w"),
      Options.withDefault(50_000),
      Options.withDescription("Wait this long for the answer (default: 50s)")
    ),
    json
  }),
  args: Args.optional(Args.text({ name: "question" }).pipe(Args.withDescription("The question, or - for stdin"))),
  completes: "none",
  run: Effect.fn("beat.ask")(function* (given, word) {
    const terminal = yield* Terminal
    const submitter = submitterOf((yield* Caller).environment)
    const asked = yield* readQuestion(yield* readPrompt(Option.getOrUndefined(word), "question"), given.option)
    const askedBy = yield* nameOf(submitter)
    // A person who asks at a terminal sees why nothing happens. Inside a task, the task shows the question.
    const tell = ({ id }: Question) => {
      const name = questionName(id)
      return terminal.say(`${name} is asked; answer with: beat answer ${name} "..."`)
    }
    const question = yield* askPerson({ ...asked, taskId: submitter.taskId, askedBy }, given.wait, (open) =>
      Effect.zipRight(submitter.taskId === null ? tell(open) : Effect.void, Effect.never)
    )
    if (given.json) yield* printJson(Question, question)
    if (question.answer === null) {
      const name = questionName(question.id)
      yield* terminal.say(
        question.state === "gone"
          ? `beat: question ${name} has no answer, and its task has ended.`
          : submitter.taskId === null
            ? `beat: ${name} has no answer yet. Ask again with the same text to get the answer.`
            : `beat: stored as ${name}; there is no answer yet. End your turn now: you will be resumed with the answer.`
      )
      return ExitCode.unanswered
    }
    if (!given.json) yield* terminal.print(answerWords(question))
    return question.denied ? ExitCode.failed : ExitCode.ok
  })
})
