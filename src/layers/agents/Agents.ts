/** The agents service: chooses an agent, finds its program and credentials, and fixes how a task will be started. */
import { Buffer } from "node:buffer"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { AgentMissing, AgentUnknown, ConfigInvalid, InvalidInput, NoDefaultAgent } from "../../domain/Errors.ts"
import { type Account, accountKey, fingerprinted } from "../../domain/limits/Account.ts"
import { ownOf } from "../../domain/Named.ts"
import type { AgentSettings, Settings } from "../../domain/settings/Settings.ts"
import type { Agent, AgentInfo } from "../../domain/task/Agent.ts"
import { type Environment, inputFormatOf, type Launch } from "../../domain/task/NewTask.ts"
import type { Agents, PrepareRequest } from "../../services/Agents.ts"
import { Fingerprints } from "../../services/Fingerprints.ts"
import { Ids } from "../../services/Ids.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { allAgents, builtInAgent, isBuiltIn } from "./Registry.ts"
import { credentialAdvice } from "./reading/Failure.ts"
import { plain } from "./reading/Show.ts"
import { capture } from "./starting/EnvironmentCapture.ts"
import { anyHeld, textOf } from "./starting/Held.ts"
import { asksOtherwise, unasked, untaken, withoutServer } from "./starting/Hints.ts"
import { find, isRoot, niceness, umask } from "./starting/Programs.ts"
import { requestProblem, sessionPattern } from "./starting/requestProblem.ts"
import { maxArgumentBytes } from "./starting/Start.ts"

export const settingsOf = (settings: Settings, name: string): AgentSettings => ownOf(settings.agents, name) ?? {}

const programOf = (settings: Settings, agent: Agent): string =>
  settingsOf(settings, agent.name).program ?? agent.program

const locate = (settings: Settings, agent: Agent, environment: Environment, directory: string) =>
  find(programOf(settings, agent), environment.PATH, directory)

const credentialsOf = Effect.fnUntraced(function* (
  settings: Settings,
  agent: Agent,
  environment: Environment,
  directory: string
) {
  if (agent.credentialVariables.length === 0) return "not-needed" as const
  if (agent.credentialVariables.some((name) => (environment[name] ?? "") !== "")) return "environment" as const
  const configured = settingsOf(settings, agent.name)
  const inEnv = agent.credentialVariables.some((name) => (configured.env?.[name] ?? "") !== "")
  if (configured.apiKey !== undefined || inEnv) return "config" as const
  return (yield* anyHeld(agent.loginFiles, environment, directory)) ? ("login" as const) : null
})

/** Named, else the default, else the only one there. */
const choose = Effect.fnUntraced(function* (settings: Settings, request: PrepareRequest) {
  const agents = allAgents(settings)
  const name = request.agent ?? settings.defaultAgent
  if (name !== null) {
    const agent = agents.find((candidate) => candidate.name === name)
    if (agent === undefined) {
      return yield* new AgentUnknown({ agent: name, known: agents.map((known) => known.name) })
    }
    if (isBuiltIn(name) && settingsOf(settings, name).command !== undefined) {
      return yield* new ConfigInvalid({
        path: `agents.${name}.command`,
        problem: `'${name}' is built in and its command cannot be set. Give the custom agent another name, or set agents.${name}.program or agents.${name}.args.`
      })
    }
    return agent
  }
  const installed = yield* Effect.filter(
    agents.filter((agent) => agent.name !== "shell"),
    (agent) => Effect.map(locate(settings, agent, request.environment, request.directory), (path) => path !== null)
  )
  const [only, ...others] = installed
  if (only === undefined || others.length > 0) {
    return yield* new NoDefaultAgent({ installed: installed.map((agent) => agent.name) })
  }
  return only
})

/** Each argument has to fit into the system's limit. The prompt is not among them yet: the spawner checks it. */
const tooLong = (launch: Launch): InvalidInput | null =>
  launch.args.some((part) => Buffer.byteLength(part) > maxArgumentBytes)
    ? new InvalidInput({
        field: "systemPrompt",
        problem: `makes an argument of more than ${maxArgumentBytes} bytes, which the system does not take`,
        example: null
      })
    : null

const withPlan = (captured: Environment, planned: Readonly<Record<string, string | null>>): Record<string, string> => {
  const merged: Record<string, string> = { ...captured }
  for (const [name, value] of Object.entries(planned)) {
    if (value === null) delete merged[name]
    else merged[name] = value
  }
  return merged
}

/** A program that has moved needs what has moved with it, e.g. the Node that its first line names. */
const bothPaths = (first: string | undefined, second: string | undefined): string =>
  Array.from(
    new Set([first, second].flatMap((path) => (path === undefined || path === "" ? [] : path.split(":"))))
  ).join(":")

/** What the submitter did not bring: set by the adapter or the config, and not by `--env` on top of them. */
const configuredNames = (
  planned: Readonly<Record<string, string | null>>,
  ofConfig: Environment,
  extra: Environment
): ReadonlyArray<string> =>
  Array.from(new Set([...Object.keys(planned), ...Object.keys(ofConfig)])).filter(
    (name) => planned[name] !== null && extra[name] === undefined
  )

/** Whose task it is: a worker of another user must not run it. */
const user = (): { readonly uid?: number } => {
  const uid = process.geteuid?.()
  return uid === undefined ? {} : { uid }
}

/** The service without its verdicts. */
export const make = Effect.gen(function* () {
  const store = yield* SettingsStore
  const ids = yield* Ids
  const fingerprints = yield* Fingerprints

  /** Whose limits count; null where none are known, or where the key of the fingerprints cannot be read. */
  const accountOf = Effect.fn("Agents.account")(function* (
    agent: Agent,
    settings: AgentSettings,
    model: string | null,
    environment: Environment,
    directory: string
  ) {
    const identify =
      agent.account ?? (settings.account === undefined ? undefined : builtInAgent(settings.account)?.account)
    if (identify === undefined) return null
    const found = identify({ environment, settings, model, read: (file) => textOf(file, environment, directory) })
    const fingerprint = yield* fingerprints.of(fingerprinted(found))
    return Option.match(fingerprint, {
      onNone: () => null,
      onSome: (known): Account => ({ key: accountKey(found, known), agent: agent.name })
    })
  })

  const list = Effect.fn("Agents.list")(function* (environment: Environment) {
    const settings = yield* store.get
    const found = yield* Effect.forEach(allAgents(settings), (agent) =>
      Effect.all({
        agent: Effect.succeed(agent),
        path: locate(settings, agent, environment, environment.PWD ?? "/"),
        credentials: credentialsOf(settings, agent, environment, environment.PWD ?? "/")
      })
    )
    const installed = found.filter(({ agent, path }) => path !== null && agent.name !== "shell")
    const only = installed.length === 1 ? installed[0]?.agent.name : undefined
    const chosen = settings.defaultAgent ?? only
    return found.map(
      ({ agent, credentials, path }): AgentInfo => ({
        name: agent.name,
        title: agent.title,
        custom: !isBuiltIn(agent.name),
        program: programOf(settings, agent),
        path,
        install: agent.install,
        credentials,
        login: agent.credentialVariables.length === 0 ? null : credentialAdvice(agent),
        default: agent.name === chosen
      })
    )
  })

  const prepare = Effect.fn("Agents.prepare")(function* (request: PrepareRequest) {
    const problem = requestProblem(request)
    if (problem !== null) return yield* problem
    const settings = yield* store.get
    const agent = yield* choose(settings, request)
    const configured = settingsOf(settings, agent.name)
    const allowed = [...allAgents(settings).flatMap((known) => known.credentialVariables), ...settings.captureAllow]
    const captured = capture(request.environment, settings.capture, allowed)
    const own = { ...configured.env, ...request.extra }
    const environment = { ...captured, ...own }
    const first = request.programPath
    const chosen =
      first === undefined ? null : yield* locate(settings, agent, { ...environment, PATH: first }, request.directory)
    const found = chosen ?? (yield* locate(settings, agent, environment, request.directory))
    const other = request.otherPath
    const moved =
      found === null && other !== undefined ? yield* find(programOf(settings, agent), other, request.directory) : null
    const program = found ?? moved
    if (program === null) {
      return yield* new AgentMissing({ agent: agent.name, program: programOf(settings, agent), install: agent.install })
    }
    const { asks } = request
    if (asks?.permissions === true && agent.asks !== true) return yield* unasked(agent.name)
    const steer = request.steer ?? (asks !== undefined && agent.asks === true ? true : (configured.steer ?? false))
    const plan = agent.plan({
      program,
      prompt: request.prompt,
      model: request.model,
      systemPrompt: request.systemPrompt,
      settings: configured,
      sessionId: yield* ids.uuid,
      resume: agent.resumes ? (request.resume ?? null) : null,
      steer,
      asks: asks === undefined ? null : asks.permissions ? "permissions" : "questions",
      environment,
      server: request.server ?? null,
      root: yield* isRoot
    })
    const long = tooLong(plan.launch)
    if (long !== null) return yield* long
    const given = Object.keys(request.extra)
    const credentials = yield* credentialsOf(settings, agent, environment, request.directory)
    const conditional = plan.warningUnless
    const unmet =
      conditional !== undefined && !(yield* anyHeld(conditional.held, environment, request.directory))
        ? [conditional.warning]
        : []
    const names = configuredNames(plan.environment, configured.env ?? {}, request.extra)
    const complete = {
      ...withPlan(captured, plan.environment),
      ...own,
      ...(moved === null ? {} : { PATH: bothPaths(environment.PATH, other) })
    }
    const model = request.model ?? configured.model ?? null
    const account = yield* accountOf(agent, configured, model, complete, request.directory)
    return {
      agent: agent.name,
      model,
      ...(account === null ? {} : { account }),
      launch: {
        ...plan.launch,
        ...user(),
        ...(names.length === 0 ? {} : { configured: names }),
        ...(given.length === 0 ? {} : { given }),
        ...(request.server === undefined ? {} : { server: request.server }),
        ...(asks === undefined || agent.asks !== true ? {} : { asks: { ...asks, rules: configured.approve ?? {} } }),
        umask: request.umask ?? (yield* umask),
        niceness: request.niceness ?? (yield* niceness)
      },
      environment: complete,
      sessionId: plan.sessionId,
      stallMs: configured.stallMs === 0 ? null : configured.stallMs,
      warnings: [
        ...(plan.warnings ?? []),
        ...unmet,
        ...(request.server !== undefined && agent.takesServer === false ? [withoutServer(agent.name)] : []),
        ...(asks !== undefined && agent.asks !== true ? [asksOtherwise(agent.name)] : []),
        ...(steer && inputFormatOf(plan.launch) === null ? [untaken(agent)] : []),
        ...(credentials === null ? [`No credentials for ${agent.name} were seen. ${credentialAdvice(agent)}`] : [])
      ]
    }
  })

  const agents: Omit<Context.Tag.Service<typeof Agents>, "verdict" | "signals" | "heard" | "calls"> = {
    list,
    prepare,
    account: Effect.fn("Agents.accountNow")(function* (name, { directory, environment, model }) {
      const settings = yield* store.get
      const agent = allAgents(settings).find((known) => known.name === name)
      return agent === undefined
        ? null
        : yield* accountOf(agent, settingsOf(settings, name), model, environment, directory)
    }),
    hasSessions: (name) => Effect.sync(() => builtInAgent(name)?.resumes === true),
    resumes: (name, sessionId) =>
      Effect.sync(() => builtInAgent(name)?.resumes === true && sessionPattern.test(sessionId)),
    isFinal: (name, exitCode) =>
      Effect.sync(() => exitCode !== null && builtInAgent(name)?.finalExitCodes?.includes(exitCode) === true),
    renderer: (name) => Effect.sync(() => builtInAgent(name)?.renderer() ?? plain())
  }
  return agents
})
