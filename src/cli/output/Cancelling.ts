/** What the commands that cancel a loop, a goal or a pipeline share: the reason, the progress and the answer. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { optionalText } from "../input/Values.ts"
import { withProgress } from "./Progress.ts"

/** `subject`: what is cancelled with its tasks. */
export const reasonOption = (subject: string) =>
  optionalText("reason", "text").pipe(Options.withDescription(`Store this reason with the ${subject} and its tasks`))

/** Says on stderr what a cancel waits for. */
export const whileCancelling = withProgress(
  Effect.succeed("waiting for the processes to exit (Ctrl-C stops the waiting, not the cancelling)")
)

/** `ending`: how it has ended, in words. */
export const cancelledLine = (id: string, answer: string, ending: string): string =>
  `${id} ${answer === "over" ? "had already ended: " : ""}${ending}`
