/** `beat send`: says something to the agent of a task. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { readWriteCommand } from "../../framework/Command.ts"
import { readText } from "../../input/Prompt.ts"
import { optionalText, task } from "../../input/Values.ts"
import { receiptOptions, sendAndTell } from "../../output/Sent.ts"

export const send = readWriteCommand({
  name: "send",
  section: "tasks",
  summary: "Say something to the agent of a task",
  details:
    "An agent that was started with --steer takes the message while it runs. For any other agent, and for a task that has ended, the message becomes the next turn of its session: a new task, whose id is shown. The message is stored first, and each message reaches the agent once, whatever is killed meanwhile. Exit code 0: taken, or the next turn; 124: stored and not taken yet; 1: refused or dropped.",
  examples: [
    ['beat send x2m "do not touch doctor"', "while it runs, or as its next turn"],
    ["git diff | beat send x2m -", "the text from a pipe"],
    ['beat send x2m --now "stop; write the test first"', "end the running turn first"]
  ],
  options: Options.all({
    now: Options.boolean("now").pipe(Options.withDescription("End the running turn first")),
    noNextTurn: Options.boolean("no-next-turn").pipe(
      Options.withDescription("Refuse a message that the agent cannot take while it runs")
    ),
    id: optionalText("id", "uuid").pipe(
      Options.withDescription("Use this id for the message; a message is sent once for each id")
    ),
    ...receiptOptions
  }),
  args: Args.all({
    task,
    text: Args.text({ name: "text" }).pipe(Args.withDescription("The message, in quotes; '-' reads it from stdin"))
  }),
  completes: "task",
  run: Effect.fn("beat.send")(function* ({ id, noNextTurn, now, ...receipt }, given) {
    const text = given.text === "-" ? yield* readText() : given.text
    return yield* sendAndTell(given.task, { text, interrupt: now, id, liveOnly: noNextTurn }, receipt)
  })
})
