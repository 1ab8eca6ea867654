/** `beat inbox`: the questions that wait for a person. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { questionName } from "../../../domain/questions/Question.ts"
import { Inbox, type InboxEntry, inbox as inboxOf } from "../../../programs/questions/inbox.ts"
import { shortSpan } from "../../../text/FormatDuration.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { type Column, table } from "../../output/Layout.ts"
import { questionWords } from "../../output/QuestionText.ts"
import { plain } from "../../output/TaskTable.ts"

const columns: ReadonlyArray<Column> = [
  { title: "Q" },
  { title: "TASK", dropAt: 2 },
  { title: "AGENT", dropAt: 0, shrinkTo: 6 },
  { title: "ASKS", dropAt: 1 },
  { title: "WAITS", align: "right" },
  { title: "WHAT", shrinkTo: 12 }
]

const lines = (entries: ReadonlyArray<InboxEntry>, now: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim, yellow } = stylesOf(screen)
  return table(
    columns,
    entries.map((entry) => [
      { text: questionName(entry.id), style: bold },
      { text: entry.taskId ?? plain(entry.askedBy) },
      { text: plain(entry.task?.agent ?? "") },
      { text: entry.parked ? "parked" : "now", style: entry.parked ? dim : yellow },
      { text: shortSpan(Math.max(0, now - entry.askedAt)) },
      { text: questionWords(entry) }
    ]),
    screen.columns,
    dim
  )
}

export const inbox = bareCommand({
  name: "inbox",
  section: "watch",
  summary: "Show the questions of agents that wait for a person",
  details:
    "ASKS: 'now' while the agent waits for the answer in its turn, 'parked' when its task has no process and the answer continues it. To answer: beat answer q7 TEXT.",
  examples: [
    ["beat inbox", "what is asked"],
    ["beat inbox --json | jq -r '.questions[].text'", "the texts"]
  ],
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.inbox")(function* (given) {
    const terminal = yield* Terminal
    const questions = yield* inboxOf()
    if (given.json) yield* printJson(Inbox, { questions })
    else if (questions.length === 0) yield* terminal.say("No questions are open.")
    else yield* terminal.print(lines(questions, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    return ExitCode.ok
  })
})
