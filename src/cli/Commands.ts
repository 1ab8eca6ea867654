/** All commands of `beat`, in the order of the overview; each is loaded on demand. */
import * as Effect from "effect/Effect"
import type { webCommands } from "./commands/web/web.ts"
import type { Command } from "./framework/Command.ts"
import { type CommandEntry, type CommandTree, loadAll } from "./framework/CommandTree.ts"
import { UsageError } from "./framework/UsageError.ts"

const groups: CommandTree["groups"] = {
  agents: { summary: "Show and check the coding agents", standard: "list" },
  config: { summary: "Show and change settings", standard: "show" },
  group: { summary: "Show and change groups of tasks, each with its own limit", standard: "list" },
  hooks: { summary: "Send what happens to commands, addresses and phones", standard: "list" },
  budget: { summary: "Bound what tasks may spend", standard: "list" },
  limits: { summary: "Show usage limits, and decide about them", standard: "list" },
  pipeline: { summary: "Run several steps in order, as one", standard: "list" },
  schedule: { summary: "Run things at given times", standard: "list" },
  workspace: { summary: "Look at and clean up the workspaces of isolated tasks", standard: "list" },
  loop: { summary: "Repeat a task until a command says that it is done", standard: "list", direct: "start" },
  goal: { summary: "Reach a goal with a lead that delegates", standard: "list", direct: "start" },
  service: { summary: "Keep a worker running across reboots", standard: "status" },
  skills: { summary: "Teach agents to use Backbeat", standard: "show" },
  mcp: { summary: "Serve agents through MCP", standard: "config" },
  web: { summary: "Show tasks in the browser", standard: "start" },
  api: { summary: "Describe the HTTP API of beat web", standard: "openapi" }
}

const entry = (name: string, load: () => Promise<Command>, aliases: ReadonlyArray<string> = []): CommandEntry => ({
  path: name === "" ? [] : name.split(" "),
  aliases,
  load: Effect.promise(load)
})

/** Only their help is here: the web server has its own bundle, which the first word on the command line selects. */
const webOf = (pick: (commands: ReturnType<typeof webCommands>) => Command) => () =>
  import("./commands/web/web.ts").then(({ webCommands }) => {
    const misplaced = new UsageError({ problem: "'web' must be the first argument", hint: "beat web [options]" })
    const refuse = () => misplaced
    return pick(webCommands({ start: refuse, stop: refuse, status: refuse, url: misplaced, openapi: misplaced }))
  })

/** Only their help is here, likewise. */
const observed = async () => ({
  ...(await import("./commands/observe/observe.ts")),
  misplaced: (name: string) => new UsageError({ problem: `'${name}' must be the first argument`, hint: `beat ${name}` })
})

const entries: ReadonlyArray<CommandEntry> = [
  entry("", () => import("./commands/tasks/overview.ts").then(({ bare }) => bare)),
  entry("run", () => import("./commands/tasks/run.ts").then(({ run }) => run)),
  entry("wait", () => import("./commands/tasks/wait.ts").then(({ wait }) => wait)),
  entry("cancel", () => import("./commands/tasks/cancel.ts").then(({ cancel }) => cancel)),
  entry("edit", () => import("./commands/tasks/edit.ts").then(({ edit }) => edit)),
  entry("retry", () => import("./commands/tasks/retry.ts").then(({ retry }) => retry)),
  entry("resume", () => import("./commands/tasks/resume.ts").then(({ resume }) => resume)),
  entry("send", () => import("./commands/messages/send.ts").then(({ send }) => send)),
  entry("interrupt", () => import("./commands/messages/interrupt.ts").then(({ interrupt }) => interrupt)),
  entry("attach", () => import("./commands/messages/attach.ts").then(({ attach }) => attach)),
  entry("pause", () => import("./commands/gates/pause.ts").then(({ pause }) => pause)),
  entry("ask", () => import("./commands/questions/ask.ts").then(({ ask }) => ask)),
  entry("answer", () => import("./commands/questions/answer.ts").then(({ answer }) => answer)),
  entry("result", () => import("./commands/tasks/result.ts").then(({ result }) => result)),
  entry("logs", () => import("./commands/tasks/logs.ts").then(({ logs }) => logs)),
  entry("diff", () => import("./commands/merges/diff.ts").then(({ diff }) => diff)),
  entry("merge", () => import("./commands/merges/merge.ts").then(({ merge }) => merge)),
  entry("pipeline run", () => import("./commands/pipelines/pipelineRun.ts").then(({ pipelineRun }) => pipelineRun)),
  entry("pipeline check", () =>
    import("./commands/pipelines/pipelineRun.ts").then(({ pipelineCheck }) => pipelineCheck)
  ),
  entry("pipeline cancel", () =>
    import("./commands/pipelines/pipeline.ts").then(({ pipelineCancel }) => pipelineCancel)
  ),
  entry("pipeline retry", () => import("./commands/pipelines/pipeline.ts").then(({ pipelineRetry }) => pipelineRetry)),
  entry("pipeline list", () => import("./commands/pipelines/pipeline.ts").then(({ pipelineList }) => pipelineList)),
  entry("pipeline status", () =>
    import("./commands/pipelines/pipeline.ts").then(({ pipelineStatus }) => pipelineStatus)
  ),
  entry("pipeline schema", () =>
    import("./commands/pipelines/pipelineRun.ts").then(({ pipelineSchema }) => pipelineSchema)
  ),
  entry("workspace list", () =>
    import("./commands/workspaces/workspace.ts").then(({ workspaceList }) => workspaceList)
  ),
  entry("workspace path", () =>
    import("./commands/workspaces/workspace.ts").then(({ workspacePath }) => workspacePath)
  ),
  entry("workspace keep", () =>
    import("./commands/workspaces/workspace.ts").then(({ workspaceKeep }) => workspaceKeep)
  ),
  entry("workspace reclaim", () =>
    import("./commands/workspaces/workspace.ts").then(({ workspaceReclaim }) => workspaceReclaim)
  ),
  entry("workspace restore", () =>
    import("./commands/workspaces/workspace.ts").then(({ workspaceRestore }) => workspaceRestore)
  ),
  entry("loop start", () => import("./commands/loops/loopStart.ts").then(({ loopStart }) => loopStart)),
  entry("loop pause", () => import("./commands/loops/loop.ts").then(({ loopPause }) => loopPause)),
  entry("loop resume", () => import("./commands/loops/loop.ts").then(({ loopResume }) => loopResume)),
  entry("loop cancel", () => import("./commands/loops/loop.ts").then(({ loopCancel }) => loopCancel)),
  entry("loop list", () => import("./commands/loops/loop.ts").then(({ loopList }) => loopList)),
  entry("loop status", () => import("./commands/loops/loop.ts").then(({ loopStatus }) => loopStatus)),
  entry("plan", () => import("./commands/goals/plan.ts").then(({ plan }) => plan)),
  entry("goal start", () => import("./commands/goals/goalStart.ts").then(({ goalStart }) => goalStart)),
  entry("goal cancel", () => import("./commands/goals/goal.ts").then(({ goalCancel }) => goalCancel)),
  entry("goal list", () => import("./commands/goals/goal.ts").then(({ goalList }) => goalList)),
  entry("goal status", () => import("./commands/goals/goal.ts").then(({ goalStatus }) => goalStatus)),
  entry("schedule create", () =>
    import("./commands/schedules/scheduleCreate.ts").then(({ scheduleCreate }) => scheduleCreate)
  ),
  entry("schedule edit", () =>
    import("./commands/schedules/scheduleCreate.ts").then(({ scheduleEdit }) => scheduleEdit)
  ),
  entry("schedule pause", () => import("./commands/schedules/schedule.ts").then(({ schedulePause }) => schedulePause)),
  entry("schedule resume", () =>
    import("./commands/schedules/schedule.ts").then(({ scheduleResume }) => scheduleResume)
  ),
  entry("schedule cancel", () =>
    import("./commands/schedules/schedule.ts").then(({ scheduleCancel }) => scheduleCancel)
  ),
  entry("schedule run-now", () =>
    import("./commands/schedules/schedule.ts").then(({ scheduleRunNow }) => scheduleRunNow)
  ),
  entry("schedule list", () => import("./commands/schedules/schedule.ts").then(({ scheduleList }) => scheduleList)),
  entry("schedule status", () =>
    import("./commands/schedules/schedule.ts").then(({ scheduleStatus }) => scheduleStatus)
  ),
  entry("schedule history", () =>
    import("./commands/schedules/schedule.ts").then(({ scheduleHistoryCommand }) => scheduleHistoryCommand)
  ),
  // Only its help is here: the screen has its own bundle.
  entry("top", () =>
    import("./commands/watch/top.ts").then(({ top }) =>
      top(() => new UsageError({ problem: "'top' must be the first argument", hint: "beat top [options]" }))
    )
  ),
  entry("timeline", () => observed().then(({ misplaced, timeline }) => timeline(() => misplaced("timeline")))),
  entry("support", () => observed().then(({ misplaced, support }) => support(misplaced("support")))),
  entry("metrics", () => observed().then(({ metrics, misplaced }) => metrics(misplaced("metrics")))),
  entry("list", () => import("./commands/tasks/list.ts").then(({ list }) => list), ["ls"]),
  entry("status", () => import("./commands/tasks/status.ts").then(({ status }) => status)),
  entry("why", () => import("./commands/tasks/why.ts").then(({ why }) => why)),
  entry("tree", () => import("./commands/tasks/tree.ts").then(({ tree }) => tree)),
  entry("graph", () => import("./commands/tasks/graph.ts").then(({ graph }) => graph)),
  entry("messages", () => import("./commands/messages/messages.ts").then(({ messages }) => messages)),
  entry("events", () => import("./commands/events/events.ts").then(({ events }) => events)),
  entry("inbox", () => import("./commands/questions/inbox.ts").then(({ inbox }) => inbox)),
  entry(
    "web start",
    webOf(({ start }) => start)
  ),
  entry(
    "web stop",
    webOf(({ stop }) => stop)
  ),
  entry(
    "web status",
    webOf(({ status }) => status)
  ),
  entry(
    "web url",
    webOf(({ url }) => url)
  ),
  entry(
    "api openapi",
    webOf(({ openapi }) => openapi)
  ),
  entry("workers", () => import("./commands/setup/workers.ts").then(({ workers }) => workers)),
  entry("usage", () => import("./commands/usage/usage.ts").then(({ usage }) => usage)),
  entry("group list", () => import("./commands/gates/group.ts").then(({ groupList }) => groupList)),
  entry("group set", () => import("./commands/gates/group.ts").then(({ groupSet }) => groupSet)),
  entry("group remove", () => import("./commands/gates/group.ts").then(({ groupRemove }) => groupRemove)),
  entry("hooks list", () => import("./commands/hooks/hooks.ts").then(({ hooksList }) => hooksList)),
  entry("hooks add", () => import("./commands/hooks/hooks.ts").then(({ hooksAdd }) => hooksAdd)),
  entry("hooks enable", () => import("./commands/hooks/hooks.ts").then(({ hooksEnable }) => hooksEnable)),
  entry("hooks disable", () => import("./commands/hooks/hooks.ts").then(({ hooksDisable }) => hooksDisable)),
  entry("hooks remove", () => import("./commands/hooks/hooks.ts").then(({ hooksRemove }) => hooksRemove)),
  entry("hooks log", () => import("./commands/hooks/deliveries.ts").then(({ hooksLog }) => hooksLog)),
  entry("hooks test", () => import("./commands/hooks/deliveries.ts").then(({ hooksTest }) => hooksTest)),
  entry("hooks redeliver", () => import("./commands/hooks/deliveries.ts").then(({ hooksRedeliver }) => hooksRedeliver)),
  entry("budget list", () => import("./commands/budgets/budget.ts").then(({ budgetList }) => budgetList)),
  entry("budget set", () => import("./commands/budgets/budget.ts").then(({ budgetSet }) => budgetSet)),
  entry("budget remove", () => import("./commands/budgets/budget.ts").then(({ budgetRemove }) => budgetRemove)),
  entry("limits list", () => import("./commands/limits/limits.ts").then(({ limitsList }) => limitsList)),
  entry("limits refresh", () => import("./commands/limits/limits.ts").then(({ limitsRefresh }) => limitsRefresh)),
  entry("limits close", () => import("./commands/limits/limits.ts").then(({ limitsClose }) => limitsClose)),
  entry("limits open", () => import("./commands/limits/limits.ts").then(({ limitsOpen }) => limitsOpen)),
  entry("limits join", () => import("./commands/limits/limits.ts").then(({ limitsJoin }) => limitsJoin)),
  entry("limits split", () => import("./commands/limits/limits.ts").then(({ limitsSplit }) => limitsSplit)),
  entry("init", () => import("./commands/setup/init.ts").then(({ init }) => init)),
  entry("agents list", () => import("./commands/setup/agents.ts").then(({ agentsList }) => agentsList)),
  entry("agents check", () => import("./commands/setup/agents.ts").then(({ agentsCheck }) => agentsCheck)),
  entry("config show", () => import("./commands/setup/config.ts").then(({ configShow }) => configShow)),
  entry("config get", () => import("./commands/setup/config.ts").then(({ configGet }) => configGet)),
  entry("config set", () => import("./commands/setup/config.ts").then(({ configSet }) => configSet)),
  entry("config unset", () => import("./commands/setup/config.ts").then(({ configUnset }) => configUnset)),
  entry("config path", () => import("./commands/setup/config.ts").then(({ configPath }) => configPath)),
  entry("skills install", () => import("./commands/setup/skills.ts").then(({ skillsInstall }) => skillsInstall)),
  entry("skills uninstall", () => import("./commands/setup/skills.ts").then(({ skillsUninstall }) => skillsUninstall)),
  entry("skills show", () => import("./commands/setup/skills.ts").then(({ skillsShow }) => skillsShow)),
  entry("mcp start", () => import("./commands/setup/mcp.ts").then(({ mcpStart }) => mcpStart)),
  entry("mcp config", () => import("./commands/setup/mcp.ts").then(({ mcpConfig }) => mcpConfig)),
  entry("mcp install", () => import("./commands/setup/mcp.ts").then(({ mcpInstall }) => mcpInstall)),
  entry("mcp uninstall", () => import("./commands/setup/mcp.ts").then(({ mcpUninstall }) => mcpUninstall)),
  entry("mcp test", () => import("./commands/setup/mcp.ts").then(({ mcpTest }) => mcpTest)),
  // Likewise for the doctor, whose bundle holds the torture run too.
  entry("doctor", () =>
    import("./commands/setup/doctor.ts").then(({ doctor }) => {
      const misplaced = () =>
        new UsageError({ problem: "'doctor' must be the first argument", hint: "beat doctor [options]" })
      return doctor(misplaced, misplaced)
    })
  ),
  entry("service install", () => import("./commands/setup/service.ts").then(({ serviceInstall }) => serviceInstall)),
  entry("service uninstall", () =>
    import("./commands/setup/service.ts").then(({ serviceUninstall }) => serviceUninstall)
  ),
  entry("service status", () =>
    import("./commands/setup/service.ts").then(({ serviceStatusCommand }) => serviceStatusCommand)
  ),
  entry("prune", () => import("./commands/setup/prune.ts").then(({ prune }) => prune)),
  // Only its help is here: the worker has its own bundle, which the first word on the command line selects.
  entry("worker", () =>
    import("./commands/setup/worker.ts").then(({ worker }) =>
      worker(() => new UsageError({ problem: "'worker' must be the first argument", hint: "beat worker [options]" }))
    )
  ),
  entry("completion", () => import("./commands/setup/completion.ts").then(({ completion }) => completion), [
    "completions"
  ])
]

const completing = entry("__complete", () =>
  import("./commands/setup/completion.ts").then(({ complete }) => complete(loadAll({ groups, entries })))
)

/** The command that completion scripts call; it knows all the others. */
export const tree: CommandTree = { groups, entries: [...entries, completing] }
