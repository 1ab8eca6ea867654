/** `beat agents`: which coding agents this machine has, and whether they are ready. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { AgentUnknown, NoDefaultAgent } from "../../../domain/Errors.ts"
import { AgentInfo, AgentList } from "../../../domain/task/Agent.ts"
import { Agents } from "../../../services/Agents.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { type Pair, pairs } from "../../output/pairs.ts"
import { plain } from "../../output/TaskTable.ts"

const credentialWords: Readonly<Record<NonNullable<AgentInfo["credentials"]>, string>> = {
  environment: "key in the environment",
  config: "key in the config",
  login: "own login",
  "not-needed": "none needed"
}

const credentialsOf = (agent: AgentInfo): string =>
  agent.credentials === null ? "none seen" : credentialWords[agent.credentials]

/** What the agent needs before it can run a task; empty when it is ready. */
const lackingOf = (agent: AgentInfo): ReadonlyArray<string> => {
  if (agent.path === null) {
    return [
      agent.install === null
        ? `'${agent.program}' is not on your PATH`
        : `'${agent.program}' is not on your PATH; install it: ${agent.install}`
    ]
  }
  if (agent.credentials === null) {
    return [`no credentials found${agent.login === null ? "" : `; log in with: ${agent.login}`}`]
  }
  return []
}

const known = Effect.gen(function* () {
  const agents = yield* Agents
  const { environment } = yield* Caller
  return yield* agents.list(environment)
})

export const agentsList = command({
  name: "agents list",
  section: "machine",
  summary: "List the agents, installed or not",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.agents.list")(function* (given) {
    const terminal = yield* Terminal
    const agents = yield* known
    if (given.json) {
      yield* printJson(AgentList, { agents })
      return ExitCode.ok
    }
    const { bold, dim, green, yellow } = stylesOf(terminal.stdout)
    const lines = table(
      [
        { title: "AGENT" },
        { title: "STATE" },
        { title: "CREDENTIALS", dropAt: 1 },
        { title: "PROGRAM", shrinkTo: 12, dropAt: 0 }
      ],
      agents.map((agent) => {
        const ready = lackingOf(agent).length === 0
        const state = agent.path === null ? "not installed" : ready ? "ready" : "no credentials"
        return [
          { text: `${plain(agent.name)}${agent.default ? " *" : ""}`, style: bold },
          { text: state, style: ready ? green : agent.path === null ? dim : yellow },
          { text: agent.path === null ? "" : credentialsOf(agent) },
          { text: plain(agent.path ?? ""), style: dim }
        ]
      }),
      terminal.stdout.columns,
      dim
    )
    // A command to copy is never cut.
    const installs = agents.flatMap((agent) =>
      agent.path === null && agent.install !== null ? [`  ${plain(agent.install)}`] : []
    )
    const more = installs.length === 0 ? [] : ["", dim("To install the missing agents:"), ...installs]
    yield* terminal.print([...lines, ...more].join("\n"))
    const chosen = agents.some((agent) => agent.default)
    yield* terminal.say(
      dim(
        chosen
          ? "* the default. To change it: beat config set defaultAgent NAME"
          : "No default agent. To set one: beat config set defaultAgent NAME"
      )
    )
    return ExitCode.ok
  })
})

export const agentsCheck = command({
  name: "agents check",
  section: "machine",
  summary: "Check that an agent is ready to work",
  details: "Checks the default agent if no name is given. Exits with 1 if something is missing.",
  options: Options.all({ json }),
  args: Args.optional(Args.text({ name: "agent" }).pipe(Args.withDescription("Name of an agent"))),
  completes: "agent",
  run: Effect.fn("beat.agents.check")(function* (given, name) {
    const terminal = yield* Terminal
    const agents = yield* known
    const found = Option.match(name, {
      onNone: () => agents.find((agent) => agent.default),
      onSome: (asked) => agents.find((agent) => agent.name === asked)
    })
    if (found === undefined) {
      return yield* Option.match(name, {
        onNone: () =>
          new NoDefaultAgent({ installed: agents.filter(({ path }) => path !== null).map((agent) => agent.name) }),
        onSome: (agent) => new AgentUnknown({ agent, known: agents.map((each) => each.name) })
      })
    }
    const lacking = lackingOf(found)
    if (given.json) {
      yield* printJson(AgentInfo, found)
      return lacking.length === 0 ? ExitCode.ok : ExitCode.failed
    }
    const { green, yellow } = stylesOf(terminal.stdout)
    const entries: ReadonlyArray<Pair> = [
      ["agent", `${plain(found.name)} (${plain(found.title)})${found.default ? ", the default" : ""}`],
      ["program", plain(found.path ?? `${found.program}, not found`)],
      ["credentials", found.path === null ? null : credentialsOf(found)],
      ["verdict", lacking.length === 0 ? green("ready") : yellow(lacking.map(plain).join("; "))]
    ]
    yield* terminal.print(pairs(entries, terminal.stdout).join("\n"))
    return lacking.length === 0 ? ExitCode.ok : ExitCode.failed
  })
})
