/** One run of `beat`: the command line in, output on the terminal, the exit code out. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { sanitize } from "../../text/Sanitize.ts"
import { answering } from "../Answer.ts"
import type { MachineServices } from "./Access.ts"
import { Caller } from "./Caller.ts"
import type { Failure } from "./Command.ts"
import { parse } from "./CommandLine.ts"
import { type CommandTree, loadAll, route } from "./CommandTree.ts"
import { ExitCode, exitCodeOfError } from "./ExitCode.ts"
import { commandHelp, groupHelp, rootHelp } from "./Help.ts"
import { JsonError, printJson } from "./Json.ts"
import { stylesOf } from "./Style.ts"
import { Terminal } from "./Terminal.ts"

const wantsJson = (argv: ReadonlyArray<string>): boolean => {
  const end = argv.indexOf("--")
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === "--json" || word === "--json=true")
}

const printHelp = Effect.fn("beat.help")(function* (page: string) {
  const terminal = yield* Terminal
  yield* terminal.print(page)
  return ExitCode.ok
}, answering("output"))

/** What follows a command that only looked, once its database is closed: the process may end there. */
type Leave = (code: ExitCode) => Effect.Effect<ExitCode>

const dispatch = Effect.fn("beat.dispatch")(function* (
  tree: CommandTree,
  machine: Layer.Layer<MachineServices, Failure>,
  argv: ReadonlyArray<string>,
  leave: Leave
) {
  const terminal = yield* Terminal
  const { version } = yield* Caller
  const found = yield* route(tree, argv)
  switch (found.route._tag) {
    case "Version":
      return yield* printHelp(version)
    case "Root":
      return yield* printHelp(rootHelp(yield* loadAll(tree), version, terminal.stdout))
    case "Group":
      return yield* printHelp(groupHelp(yield* loadAll(tree), found.route.group, terminal.stdout))
    case "Command": {
      const { entry, rest } = found.route
      const command = yield* entry.load
      if (found.help) return yield* printHelp(commandHelp(command, terminal.stdout))
      const line = yield* parse(rest, command.optionShapes, ["beat", ...command.path].join(" "))
      const done = command.execute(line)
      return yield* Effect.provide(command.looks === true ? Effect.flatMap(done, leave) : done, machine)
    }
  }
})

const reportFailure = Effect.fn("beat.report")(function* (json: boolean, error: Failure) {
  const terminal = yield* Terminal
  const exitCode = exitCodeOfError(error)
  const message = sanitize(error.message)
  if (json) {
    yield* printJson(JsonError, { error: { code: error._tag, message, exitCode } })
  } else {
    const [first = "", ...more] = message.split("\n")
    yield* terminal.say([`${stylesOf(terminal.stderr).red("beat:")} ${first}`, ...more].join("\n"))
  }
  return exitCode
})

const reportDefect = Effect.fn("beat.reportDefect")(function* (json: boolean, cause: Cause.Cause<never>) {
  const terminal = yield* Terminal
  const message = sanitize(Cause.pretty(cause))
  if (json) {
    yield* printJson(JsonError, { error: { code: "Bug", message, exitCode: ExitCode.bug } })
  } else {
    yield* terminal.say(`beat: this is a bug in Backbeat, please report it:\n${message}`)
  }
  return ExitCode.bug
})

/** Runs a command line. An interruption is passed on; every other failure is reported and becomes an exit code. */
export const main = (
  tree: CommandTree,
  machine: Layer.Layer<MachineServices, Failure>,
  argv: ReadonlyArray<string>,
  leave: Leave = Effect.succeed
): Effect.Effect<ExitCode, never, Terminal | Caller> => {
  const json = wantsJson(argv)
  return dispatch(tree, machine, argv, leave).pipe(
    Effect.catchAll((error) => reportFailure(json, error)),
    Effect.catchAllCause((cause) => (Cause.isInterrupted(cause) ? Effect.failCause(cause) : reportDefect(json, cause)))
  )
}
