/** What a command gives its caller. It decides what the command does when stdout can no longer be written. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitCode } from "./framework/ExitCode.ts"
import { type Loss, Terminal } from "./framework/Terminal.ts"

/**
 * `output`: its output is its whole purpose, so it exits as soon as stdout fails. `work`: it finishes its work first.
 * `ending`: its exit code reports how something ended, and a failing stdout does not change that code.
 */
export type Answer = "output" | "work" | "ending"

const codeOf = Effect.fnUntraced(function* (loss: Loss) {
  const terminal = yield* Terminal
  if (loss === "closed") return ExitCode.outputClosed
  yield* terminal.say(`beat: stdout could not be written${loss === "full" ? ": the disk behind it is full" : ""}.`)
  return ExitCode.storage
})

/** Runs a command with this kind of answer. If the command itself fails, its exit code is kept. */
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
