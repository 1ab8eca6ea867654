/** `beat mcp`: the MCP server, and how clients are told of it. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { nearest } from "../../../domain/Spelling.ts"
import { ClientName, InstallReport, installMcp, mcpSnippet, Snippet } from "../../../programs/setup/mcpSetup.ts"
import { TestReport, testMcp } from "../../../programs/setup/mcpTest.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { json } from "../../input/Values.ts"

const unknownClient = (given: string, names: ReadonlyArray<string>) => {
  const close = nearest(given, names)
  return new UsageError({
    problem: `'${given.slice(0, 60)}' is not a client that Backbeat knows`,
    hint: close === null ? `Known: ${names.join(", ")}` : `Did you mean '${close}'?`
  })
}

/** Only its help is here: the server has a bundle of its own, which the first words on the command line choose. */
export const mcpStart = command({
  name: "mcp start",
  section: "machine",
  summary: "Serve MCP on stdin and stdout: what clients start",
  details:
    "Not for a terminal: an MCP client starts it, one for each session. While it runs it also runs queued tasks; when the client leaves, a worker in the background takes them over. Its log is logs/mcp.log beside the database.",
  options: Options.none,
  args: Args.none,
  run: () => new UsageError({ problem: "'mcp start' must be the first argument", hint: "beat mcp start" })
})

export const mcpConfig = command({
  name: "mcp config",
  section: "machine",
  summary: "Print what an MCP client needs to know",
  details: "For claude, codex, gemini, cursor or vscode; without a name the form that most other clients take.",
  examples: [["beat mcp config codex", "what belongs into Codex's config file"]],
  options: Options.all({ json }),
  args: Args.text({ name: "client" }).pipe(
    Args.withDescription("claude, codex, gemini, cursor, vscode or json"),
    Args.withDefault("json")
  ),
  completes: "none",
  run: Effect.fn("beat.mcp.config")(function* (given, name) {
    const terminal = yield* Terminal
    const names = [...ClientName.literals, "json" as const]
    const client = names.find((each) => each === name)
    if (client === undefined) return yield* unknownClient(name, names)
    const found = yield* mcpSnippet(client)
    if (given.json) {
      yield* printJson(Snippet, found)
      return ExitCode.ok
    }
    if (found.command !== null) {
      yield* terminal.say(`${found.client} does it with this command:\n  ${sanitize(found.command)}`)
    }
    if (found.file !== null) {
      yield* terminal.say(`${found.command === null ? "This" : "Or this"} belongs into ${sanitize(found.file)}:`)
    }
    yield* terminal.print(found.snippet)
    if (client !== "json") yield* terminal.say(`'beat mcp install ${client}' writes it.`)
    return ExitCode.ok
  })
})

export const mcpInstall = command({
  name: "mcp install",
  section: "machine",
  summary: "Add the MCP server to a client's configuration",
  details:
    "For claude, codex, gemini, cursor or vscode. Changes nothing else in the file, keeps a copy of it as it was, and does nothing when run again.",
  examples: [
    ["beat mcp install claude", "Claude Code, for all your projects"],
    ["beat mcp install cursor --dry-run", "only show what would be written"]
  ],
  options: Options.all({
    dryRun: Options.boolean("dry-run").pipe(Options.withDescription("Write nothing, show what would be written")),
    json
  }),
  args: Args.text({ name: "client" }).pipe(Args.withDescription("claude, codex, gemini, cursor or vscode")),
  completes: "none",
  run: Effect.fn("beat.mcp.install")(function* (given, name) {
    const terminal = yield* Terminal
    const client = ClientName.literals.find((each) => each === name)
    if (client === undefined) return yield* unknownClient(name, ClientName.literals)
    const report = yield* installMcp(client, given.dryRun)
    if (given.json) {
      yield* printJson(InstallReport, report)
      return ExitCode.ok
    }
    const file = sanitize(report.file)
    if (!report.changed) {
      yield* terminal.say(`${report.client} knows Backbeat already: ${file}`)
      return ExitCode.ok
    }
    if (!report.written) {
      yield* terminal.say(`This would go into ${file}:`)
      yield* terminal.print(report.snippet)
      return ExitCode.ok
    }
    yield* terminal.say(`${report.client} knows Backbeat now: ${file}`)
    if (report.backup !== null) yield* terminal.say(`The file as it was: ${sanitize(report.backup)}`)
    yield* terminal.say("Start a new session of it. 'beat mcp test' checks the server.")
    return ExitCode.ok
  })
})

export const mcpTest = command({
  name: "mcp test",
  section: "machine",
  summary: "Check that the MCP server works",
  details: "Starts it as a client would, asks what clients ask first, and reports each step. Exit code 1 if one fails.",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.mcp.test")(function* (given) {
    const terminal = yield* Terminal
    const { version } = yield* Caller
    const report = yield* testMcp(version)
    if (given.json) yield* printJson(TestReport, report)
    else {
      const { green, red } = stylesOf(terminal.stdout)
      for (const { detail, milliseconds, ok, step } of report.steps) {
        const time = `${milliseconds} ms`.padStart(8)
        yield* terminal.print(`${ok ? green("ok  ") : red("fail")} ${step.padEnd(11)} ${time}  ${sanitize(detail)}`)
      }
    }
    return report.ok ? ExitCode.ok : ExitCode.failed
  })
})
