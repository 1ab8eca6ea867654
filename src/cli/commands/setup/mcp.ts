/** `beat mcp`: the MCP server, and how to configure clients for it. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { nearest } from "../../../domain/Spelling.ts"
import {
  ClientName,
  InstallReport,
  installMcp,
  mcpSnippet,
  Snippet,
  uninstallMcp
} from "../../../programs/setup/McpSetup.ts"
import { TestReport, testMcp } from "../../../programs/setup/testMcp.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { choice, json } from "../../input/Values.ts"

const known = `${ClientName.literals.slice(0, -1).join(", ")} or ${ClientName.literals.at(-1)}`

const unknownClient = (given: string, names: ReadonlyArray<string>) => {
  const close = nearest(given, names)
  return new UsageError({
    problem: `'${given.slice(0, 60)}' is not a supported MCP client`,
    hint: close === null ? `Known: ${names.join(", ")}` : `Did you mean '${close}'?`
  })
}

/** Only its help is here: the server has its own bundle, which the first words on the command line select. */
export const mcpStart = command({
  name: "mcp start",
  section: "machine",
  summary: "Run the MCP server on stdin and stdout (MCP clients start this command)",
  details:
    "Not for use in a terminal: an MCP client starts one server for each session. The server also runs queued tasks; when the client disconnects, a background worker takes them over. The log is logs/mcp.log next to the database.",
  options: Options.all({
    tools: choice("tools", ["core", "all"]).pipe(
      Options.withDefault("core"),
      Options.withDescription("List the twelve tools that most clients need, or all (default: core); all are answered")
    )
  }),
  args: Args.none,
  run: () => new UsageError({ problem: "'mcp start' must be the first argument", hint: "beat mcp start" })
})

export const mcpConfig = command({
  name: "mcp config",
  section: "machine",
  summary: "Print the configuration for an MCP client",
  details: `For ${known}; without a name it prints the JSON that most other clients accept.`,
  examples: [["beat mcp config codex", "for Codex's config file"]],
  options: Options.all({ json }),
  args: Args.text({ name: "client" }).pipe(Args.withDescription(`${known}, or json`), Args.withDefault("json")),
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
      yield* terminal.say(`To add the server to ${found.client}, run this command:\n  ${sanitize(found.command)}`)
    }
    if (found.file !== null) {
      yield* terminal.say(`${found.command === null ? "Add this" : "Or add this"} to ${sanitize(found.file)}:`)
    }
    yield* terminal.print(found.snippet)
    if (client !== "json") yield* terminal.say(`'beat mcp install ${client}' does it for you.`)
    return ExitCode.ok
  })
})

const clientNamed = Effect.fn("mcp.clientNamed")(function* (name: string) {
  const client = ClientName.literals.find((each) => each === name)
  return client ?? (yield* unknownClient(name, ClientName.literals))
})

/** Options and arguments of the commands that change a client's file. */
const changing = {
  section: "machine",
  options: Options.all({
    dryRun: Options.boolean("dry-run").pipe(Options.withDescription("Show the change without writing it")),
    json
  }),
  args: Args.text({ name: "client" }).pipe(Args.withDescription(known)),
  completes: "none"
} as const

/** Reports the file: the first line if nothing changes, the second for a dry run, the third after a change. */
const describe = Effect.fn("mcp.describe")(function* (
  report: InstallReport,
  asJson: boolean,
  lines: readonly [string, string, string]
) {
  const terminal = yield* Terminal
  if (asJson) yield* printJson(InstallReport, report)
  else yield* terminal.say(`${lines[report.written ? 2 : report.changed ? 1 : 0]} ${sanitize(report.file)}`)
  if (!asJson && report.backup !== null) yield* terminal.say(`Backup of the previous file: ${sanitize(report.backup)}`)
  return terminal
})

export const mcpInstall = command({
  ...changing,
  name: "mcp install",
  forPersons: "change the configuration of a client",
  summary: "Add the MCP server to a client's configuration",
  details:
    "Changes nothing else in the file, keeps a backup copy, and does nothing when run again. Where that is not safe it prints the text to add by hand.",
  examples: [
    ["beat mcp install claude", "Claude Code, for all your projects"],
    ["beat mcp install cursor --dry-run", "only show the change"]
  ],
  run: Effect.fn("beat.mcp.install")(function* (given, name) {
    const report = yield* installMcp(yield* clientNamed(name), given.dryRun)
    const { client } = report
    const terminal = yield* describe(report, given.json, [
      `Backbeat is already configured for ${client} in`,
      "Would be added to",
      `Added Backbeat to ${client}'s configuration:`
    ])
    if (given.json) return ExitCode.ok
    if (report.written)
      yield* terminal.say("Start a new session of the client to use it. To check the server: beat mcp test")
    else if (report.changed) yield* terminal.print(report.snippet)
    return ExitCode.ok
  })
})

export const mcpUninstall = command({
  ...changing,
  name: "mcp uninstall",
  forPersons: "change the configuration of a client",
  summary: "Remove the MCP server from a client's configuration",
  details: "Changes nothing else in the file and keeps a backup copy.",
  run: Effect.fn("beat.mcp.uninstall")(function* (given, name) {
    const report = yield* uninstallMcp(yield* clientNamed(name), given.dryRun)
    const { client } = report
    yield* describe(report, given.json, [
      `Backbeat is not configured for ${client} in`,
      "Would be removed from",
      `Removed Backbeat from ${client}'s configuration:`
    ])
    return ExitCode.ok
  })
})

export const mcpTest = command({
  name: "mcp test",
  section: "machine",
  summary: "Check that the MCP server works",
  details:
    "Starts the server like a client, sends a client's first requests, and reports each step. Exits with 1 if one fails.",
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
