/** `beat init`: creates or updates the database and finds the agents. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { InitReport, init as initialise } from "../../../programs/setup/init.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json, optionalText } from "../../input/Values.ts"
import { pairs } from "../../output/pairs.ts"
import { plain } from "../../output/TaskTable.ts"

const next = (report: InitReport): string => {
  if (report.defaultAgent !== null) return 'Ready. To run a task: beat run "..."'
  const installed = report.agents.filter(({ name, path }) => path !== null && name !== "shell")
  return installed.length === 0
    ? "No coding agent is installed. 'beat agents' shows how to install one. Shell commands work without one: beat run -a shell '...'"
    : `Choose the default agent: beat init --agent ${installed[0]?.name ?? "NAME"} (installed: ${installed.map(({ name }) => name).join(", ")})`
}

export const init = readWriteCommand({
  name: "init",
  forPersons: "change settings",
  section: "machine",
  summary: "Set up: create or update the database, find the agents",
  details:
    "Safe to run again at any time; asks no questions. Not required: 'beat run' creates the database automatically. If exactly one agent is installed, it becomes the default.",
  options: Options.all({
    agent: optionalText("agent", "name").pipe(
      Options.withAlias("a"),
      Options.withDescription("Make this agent the default")
    ),
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.init")(function* (given) {
    const terminal = yield* Terminal
    const { environment } = yield* Caller
    const report = yield* initialise(environment, given.agent)
    if (given.json) {
      yield* printJson(InitReport, report)
      return ExitCode.ok
    }
    const installed = report.agents.filter(({ path }) => path !== null).map(({ name }) => name)
    yield* terminal.print(
      pairs(
        [
          ["database", plain(report.database)],
          ["config", plain(report.config)],
          ["agents found", installed.length === 0 ? "none" : plain(installed.join(", "))],
          [
            "default agent",
            report.defaultAgent === null ? "none" : plain(`${report.defaultAgent}${report.changed ? " (set now)" : ""}`)
          ]
        ],
        terminal.stdout
      ).join("\n")
    )
    yield* terminal.say(next(report))
    return ExitCode.ok
  })
})
