/** All commands of `beat`, in the order of the overview; each is loaded on demand. */
import * as Effect from "effect/Effect"
import * as module from "./CommandModules.ts"
import type { webCommands } from "./commands/web/web.ts"
import type { Command } from "./framework/Command.ts"
import { type CommandEntry, type CommandTree, loadAll } from "./framework/CommandTree.ts"
import { UsageError } from "./framework/UsageError.ts"

const groups: CommandTree["groups"] = {
  agents: { summary: "Show and check the coding agents", standard: "list" },
  config: { summary: "Show and change settings", standard: "show" },
  group: { summary: "Show and change groups of tasks, each with its own limit", standard: "list" },
  hooks: { summary: "Notify commands, webhooks, phones and desktops", standard: "list" },
  budget: { summary: "Bound what tasks may spend", standard: "list" },
  limits: { summary: "Show usage limits, and close or open accounts", standard: "list" },
  pipeline: { summary: "Run several steps in order, as one", standard: "list" },
  schedule: { summary: "Run things at given times", standard: "list" },
  workspace: { summary: "Look at and clean up the workspaces of isolated tasks", standard: "list" },
  loop: {
    summary: "Repeat a task until a command says that it is done",
    examples: [
      ['beat loop "make the tests pass" --until "npm test"', "start one; the options: beat loop start --help"],
      ["beat loop faster.yaml", "start the one in a file"]
    ],
    standard: "list",
    direct: "start",
    files: true
  },
  goal: {
    summary: "Reach a goal with a lead that delegates",
    examples: [
      ['beat goal "move from REST to tRPC" --until "npm test"', "set one; the options: beat goal start --help"]
    ],
    standard: "list",
    direct: "start"
  },
  service: { summary: "Keep a worker running across reboots", standard: "status" },
  skills: { summary: "Teach agents to use Backbeat", standard: "show" },
  mcp: { summary: "Serve agents through MCP", standard: "config" },
  web: {
    summary: "Show tasks in the browser",
    examples: [["beat web --open", "serve the page and open it; the options: beat web start --help"]],
    standard: "start"
  },
  api: { summary: "Describe the HTTP API of beat web", standard: "openapi" }
}

const entryOf = (name: string, load: () => Promise<Command>): CommandEntry => entry(name, load, (command) => command)

const entry = <M>(
  name: string,
  load: () => Promise<M>,
  pick: (module: M) => Command,
  aliases: ReadonlyArray<string> = []
): CommandEntry => ({
  path: name === "" ? [] : name.split(" "),
  aliases,
  load: Effect.map(Effect.promise(load), pick)
})

/** A command with its own bundle came here, because its name is not the first word on the command line. */
const misplaced = (name: string) =>
  new UsageError({ problem: `'${name}' must be the first argument`, hint: `beat ${name} --help` })

/** Only their help is here: the web server has its own bundle, which the first word on the command line selects. */
const webOf = (pick: (commands: ReturnType<typeof webCommands>) => Command) => () =>
  import("./commands/web/web.ts").then(({ webCommands }) => {
    const refused = misplaced("web")
    const refuse = () => refused
    return pick(webCommands({ start: refuse, stop: refuse, status: refuse, url: refused, openapi: refused }))
  })

/** Only their help is here, likewise. */
const observed = () => import("./commands/observe/observe.ts")

const entries: ReadonlyArray<CommandEntry> = [
  entry("", module.overview, ({ bare }) => bare),
  entry("run", module.run, ({ run }) => run),
  entry("wait", module.wait, ({ wait }) => wait),
  entry("cancel", module.cancel, ({ cancel }) => cancel),
  entry("edit", module.edit, ({ edit }) => edit),
  entry("retry", module.retry, ({ retry }) => retry),
  entry("resume", module.resume, ({ resume }) => resume),
  entry("send", module.send, ({ send }) => send),
  entry("interrupt", module.interrupt, ({ interrupt }) => interrupt),
  entry("attach", module.attach, ({ attach }) => attach),
  entry("pause", module.pause, ({ pause }) => pause),
  entry("ask", module.ask, ({ ask }) => ask),
  entry("answer", module.answer, ({ answer }) => answer),
  entry("result", module.result, ({ result }) => result),
  entry("logs", module.logs, ({ logs }) => logs),
  entry("diff", module.diff, ({ diff }) => diff),
  entry("merge", module.merge, ({ merge }) => merge),
  entry("pipeline run", module.pipelineRun, ({ pipelineRun }) => pipelineRun),
  entry("pipeline check", module.pipelineRun, ({ pipelineCheck }) => pipelineCheck),
  entry("pipeline cancel", module.pipeline, ({ pipelineCancel }) => pipelineCancel),
  entry("pipeline retry", module.pipeline, ({ pipelineRetry }) => pipelineRetry),
  entry("pipeline list", module.pipeline, ({ pipelineList }) => pipelineList),
  entry("pipeline status", module.pipeline, ({ pipelineStatus }) => pipelineStatus),
  entry("pipeline schema", module.pipelineRun, ({ pipelineSchema }) => pipelineSchema),
  entry("workspace list", module.workspace, ({ workspaceList }) => workspaceList),
  entry("workspace path", module.workspace, ({ workspacePath }) => workspacePath),
  entry("workspace keep", module.workspace, ({ workspaceKeep }) => workspaceKeep),
  entry("workspace reclaim", module.workspace, ({ workspaceReclaim }) => workspaceReclaim),
  entry("workspace restore", module.workspace, ({ workspaceRestore }) => workspaceRestore),
  entry("loop start", module.loopStart, ({ loopStart }) => loopStart),
  entry("loop check", module.loopFile, ({ loopCheck }) => loopCheck),
  entry("loop schema", module.loopFile, ({ loopSchema }) => loopSchema),
  entry("loop pause", module.loop, ({ loopPause }) => loopPause),
  entry("loop resume", module.loop, ({ loopResume }) => loopResume),
  entry("loop cancel", module.loop, ({ loopCancel }) => loopCancel),
  entry("loop list", module.loop, ({ loopList }) => loopList),
  entry("loop status", module.loop, ({ loopStatus }) => loopStatus),
  entry("plan", module.plan, ({ plan }) => plan),
  entry("goal start", module.goalStart, ({ goalStart }) => goalStart),
  entry("goal cancel", module.goal, ({ goalCancel }) => goalCancel),
  entry("goal list", module.goal, ({ goalList }) => goalList),
  entry("goal status", module.goal, ({ goalStatus }) => goalStatus),
  entry("schedule create", module.scheduleCreate, ({ scheduleCreate }) => scheduleCreate),
  entry("schedule edit", module.scheduleCreate, ({ scheduleEdit }) => scheduleEdit),
  entry("schedule pause", module.schedule, ({ schedulePause }) => schedulePause),
  entry("schedule resume", module.schedule, ({ scheduleResume }) => scheduleResume),
  entry("schedule cancel", module.schedule, ({ scheduleCancel }) => scheduleCancel),
  entry("schedule run-now", module.schedule, ({ scheduleRunNow }) => scheduleRunNow),
  entry("schedule list", module.schedule, ({ scheduleList }) => scheduleList),
  entry("schedule status", module.schedule, ({ scheduleStatus }) => scheduleStatus),
  entry("schedule history", module.schedule, ({ scheduleHistoryCommand }) => scheduleHistoryCommand),
  // Only its help is here: the screen has its own bundle.
  entryOf("top", () => import("./commands/watch/top.ts").then(({ top }) => top(() => misplaced("top")))),
  entryOf("timeline", () => observed().then(({ timeline }) => timeline(() => misplaced("timeline")))),
  entryOf("support", () => observed().then(({ support }) => support(misplaced("support")))),
  entryOf("metrics", () => observed().then(({ metrics }) => metrics(misplaced("metrics")))),
  entry("list", module.list, ({ list }) => list, ["ls"]),
  entry("status", module.status, ({ status }) => status),
  entry("why", module.why, ({ why }) => why),
  entry("tree", module.tree, ({ tree }) => tree),
  entry("graph", module.graph, ({ graph }) => graph),
  entry("messages", module.messages, ({ messages }) => messages),
  entry("events", module.events, ({ events }) => events),
  entry("inbox", module.inbox, ({ inbox }) => inbox),
  entryOf(
    "web start",
    webOf(({ start }) => start)
  ),
  entryOf(
    "web stop",
    webOf(({ stop }) => stop)
  ),
  entryOf(
    "web status",
    webOf(({ status }) => status)
  ),
  entryOf(
    "web url",
    webOf(({ url }) => url)
  ),
  entryOf(
    "api openapi",
    webOf(({ openapi }) => openapi)
  ),
  entry("workers", module.workers, ({ workers }) => workers),
  entry("usage", module.usage, ({ usage }) => usage),
  entry("group list", module.group, ({ groupList }) => groupList),
  entry("group set", module.group, ({ groupSet }) => groupSet),
  entry("group remove", module.group, ({ groupRemove }) => groupRemove),
  entry("hooks list", module.hooks, ({ hooksList }) => hooksList),
  entry("hooks add", module.hooks, ({ hooksAdd }) => hooksAdd),
  entry("hooks enable", module.hooks, ({ hooksEnable }) => hooksEnable),
  entry("hooks disable", module.hooks, ({ hooksDisable }) => hooksDisable),
  entry("hooks remove", module.hooks, ({ hooksRemove }) => hooksRemove),
  entry("hooks log", module.deliveries, ({ hooksLog }) => hooksLog),
  entry("hooks test", module.deliveries, ({ hooksTest }) => hooksTest),
  entry("hooks redeliver", module.deliveries, ({ hooksRedeliver }) => hooksRedeliver),
  entry("budget list", module.budget, ({ budgetList }) => budgetList),
  entry("budget set", module.budget, ({ budgetSet }) => budgetSet),
  entry("budget remove", module.budget, ({ budgetRemove }) => budgetRemove),
  entry("limits list", module.limits, ({ limitsList }) => limitsList),
  entry("limits refresh", module.limits, ({ limitsRefresh }) => limitsRefresh),
  entry("limits close", module.limits, ({ limitsClose }) => limitsClose),
  entry("limits open", module.limits, ({ limitsOpen }) => limitsOpen),
  entry("limits join", module.limits, ({ limitsJoin }) => limitsJoin),
  entry("limits split", module.limits, ({ limitsSplit }) => limitsSplit),
  entry("init", module.init, ({ init }) => init),
  entry("agents list", module.agents, ({ agentsList }) => agentsList),
  entry("agents check", module.agents, ({ agentsCheck }) => agentsCheck),
  entry("config show", module.config, ({ configShow }) => configShow),
  entry("config get", module.config, ({ configGet }) => configGet),
  entry("config set", module.config, ({ configSet }) => configSet),
  entry("config unset", module.config, ({ configUnset }) => configUnset),
  entry("config path", module.config, ({ configPath }) => configPath),
  entry("skills install", module.skills, ({ skillsInstall }) => skillsInstall),
  entry("skills uninstall", module.skills, ({ skillsUninstall }) => skillsUninstall),
  entry("skills show", module.skills, ({ skillsShow }) => skillsShow),
  entry("mcp start", module.mcp, ({ mcpStart }) => mcpStart),
  entry("mcp config", module.mcp, ({ mcpConfig }) => mcpConfig),
  entry("mcp install", module.mcp, ({ mcpInstall }) => mcpInstall),
  entry("mcp uninstall", module.mcp, ({ mcpUninstall }) => mcpUninstall),
  entry("mcp test", module.mcp, ({ mcpTest }) => mcpTest),
  // Likewise for the doctor, whose bundle holds the torture run too.
  entryOf("doctor", () =>
    import("./commands/setup/doctor.ts").then(({ doctor }) => {
      const refuse = () => misplaced("doctor")
      return doctor(refuse, refuse)
    })
  ),
  entry("service install", module.service, ({ serviceInstall }) => serviceInstall),
  entry("service uninstall", module.service, ({ serviceUninstall }) => serviceUninstall),
  entry("service status", module.service, ({ serviceStatusCommand }) => serviceStatusCommand),
  entry("prune", module.prune, ({ prune }) => prune),
  // Only its help is here: the worker has its own bundle, which the first word on the command line selects.
  entryOf("worker", () => import("./commands/setup/worker.ts").then(({ worker }) => worker(() => misplaced("worker")))),
  entry("completion", module.completion, ({ completion }) => completion, ["completions"])
]

const completing = entryOf("__complete", () =>
  import("./commands/setup/completion.ts").then(({ complete }) => complete(loadAll({ groups, entries })))
)

/** The command that completion scripts call; it knows all the others. */
export const tree: CommandTree = { groups, entries: [...entries, completing] }
