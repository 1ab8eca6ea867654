/** What a command's caller gets from it, and so what becomes of the command when stdout takes no more. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitCode } from "./framework/ExitCode.ts"
import { type Loss, Terminal } from "./framework/Terminal.ts"

/**
 * `output`: what it prints is all of it, so it leaves as soon as that has no place to go. `work`: it finishes its work
 * first. `ending`: its exit code tells how something ended, and stays that.
 */
export type Answer = "output" | "work" | "ending"

const codeOf = Effect.fnUntraced(function* (loss: Loss) {
  const terminal = yield* Terminal
  if (loss === "closed") return ExitCode.outputClosed
  yield* terminal.say(`beat: stdout could not be written${loss === "full" ? ": the disk behind it is full" : ""}.`)
  return ExitCode.storage
})

/** Runs a command that answers in this way. A failure of the command itself keeps its exit code. */
export const answering =
  (answer: Answer) =>
  <E, R>(command: Effect.Effect<ExitCode, E, R>): Effect.Effect<ExitCode, E, R | Terminal> =>
    Effect.gen(function* () {
      if (answer === "ending") return yield* command
      const { lost } = yield* Terminal
      const unread = Effect.as(Deferred.await(lost), ExitCode.ok)
      const code = yield* answer === "output" ? Effect.raceFirst(command, unread) : command
      const loss = yield* Deferred.poll(lost)
      if (code !== ExitCode.ok || Option.isNone(loss)) return code
      return yield* Effect.flatMap(loss.value, codeOf)
    })
