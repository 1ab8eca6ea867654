/** `beat messages`: what was said to the agent of a task, and how far it got. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Message } from "../../../domain/message/Message.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { Messages } from "../../../services/Messages.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { moment } from "../../../text/FormatDuration.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { count, json, task } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { stateWords } from "../../output/MessageText.ts"
import { plain } from "../../output/TaskTable.ts"

/** What `beat messages --json` prints. */
const MessagesView = Schema.Struct({ messages: Schema.Array(Message) }).annotations({
  identifier: "MessagesView"
})

const mostShown = 1000

export const messages = readOnlyCommand({
  name: "messages",
  section: "watch",
  summary: "Show the messages to the agent of a task, and whether they were taken",
  details:
    "States: stored (on record), written (handed to the agent's process), taken (the agent has confirmed it), moved (another task continues the session with it), dropped (with the reason).",
  examples: [
    ["beat messages @last", "the messages of the newest task"],
    ["beat messages k3v --json", "with ids and times, for a script"]
  ],
  options: Options.all({
    lines: count("lines", 1, mostShown).pipe(
      Options.withAlias("n"),
      Options.withDefault(50),
      Options.withDescription("Show the last messages, at most this many (default: 50)")
    ),
    json
  }),
  args: Args.all({ task }),
  completes: "task",
  run: Effect.fn("beat.messages")(function* ({ json, lines }, given) {
    const terminal = yield* Terminal
    const tasks = yield* Tasks
    const { id } = yield* latestAttempt(yield* tasks.resolve(given.task))
    const found = yield* (yield* Messages).list(id, lines)
    if (json) {
      yield* printJson(MessagesView, { messages: found })
      return ExitCode.ok
    }
    if (found.length === 0) {
      yield* terminal.say(`Nothing was said to the agent of ${id}. To say something: beat send ${id} "..."`)
      return ExitCode.ok
    }
    const rows = found.map((message) => [
      { text: moment(message.at) },
      { text: plain(message.sender) },
      { text: stateWords(message) },
      { text: message.kind === "interrupt" ? "(interrupt)" : plain(message.body.slice(0, 1000)) }
    ])
    const columns = [
      { title: "AT", dropAt: 2 },
      { title: "BY", shrinkTo: 6, dropAt: 1 },
      { title: "STATE" },
      { title: "MESSAGE", shrinkTo: 12 }
    ]
    const { dim } = stylesOf(terminal.stdout)
    for (const line of table(columns, rows, terminal.stdout.columns, dim)) yield* terminal.print(line)
    return ExitCode.ok
  })
})
