/** `beat interrupt`: ends the turn of an agent that runs. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { readWriteCommand } from "../../framework/Command.ts"
import { optionalText, task } from "../../input/Values.ts"
import { receiptOptions, sendAndTell } from "../../output/Sent.ts"

export const interrupt = readWriteCommand({
  name: "interrupt",
  section: "tasks",
  summary: "End the turn of a running agent, and say what to do instead",
  details:
    "The agent stops its work and the command that it runs, and takes the message as its next turn in the same process. Without a message the task ends as failed, and 'beat send' continues its session. It needs an agent that was started with --steer.",
  examples: [
    ['beat interrupt x2m -m "write the test first"', "stop, and do something else"],
    ["beat interrupt x2m", "stop, and end the task"]
  ],
  options: Options.all({
    message: optionalText("message", "text").pipe(
      Options.withAlias("m"),
      Options.withDescription("Say this to the agent after the interrupt")
    ),
    ...receiptOptions
  }),
  args: Args.all({ task }),
  completes: "task",
  run: Effect.fn("beat.interrupt")(function* ({ message, ...receipt }, given) {
    return yield* sendAndTell(given.task, { text: message, interrupt: true, id: null, liveOnly: true }, receipt)
  })
})
