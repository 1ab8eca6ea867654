/** All commands of `beat`, in the order of the overview; each is loaded on demand. */
import * as Effect from "effect/Effect"
import type { Command } from "./framework/Command.ts"
import { type CommandEntry, type CommandTree, loadAll } from "./framework/CommandTree.ts"
import { UsageError } from "./framework/UsageError.ts"

const groups: CommandTree["groups"] = {
  agents: { summary: "Show and check the coding agents", standard: "list" },
  config: { summary: "Show and change settings", standard: "show" },
  pipeline: { summary: "Run several steps in order, as one", standard: "list" },
  schedule: { summary: "Run things at given times", standard: "list" },
  service: { summary: "Keep a worker running across reboots", standard: "status" },
  mcp: { summary: "Serve agents through MCP", standard: "config" }
}

const entry = (name: string, load: () => Promise<Command>, aliases: ReadonlyArray<string> = []): CommandEntry => ({
  path: name === "" ? [] : name.split(" "),
  aliases,
  load: Effect.promise(load)
})

const entries: ReadonlyArray<CommandEntry> = [
  entry("", () => import("./commands/tasks/overview.ts").then(({ bare }) => bare)),
  entry("run", () => import("./commands/tasks/run.ts").then(({ run }) => run)),
  entry("wait", () => import("./commands/tasks/wait.ts").then(({ wait }) => wait)),
  entry("cancel", () => import("./commands/tasks/cancel.ts").then(({ cancel }) => cancel)),
  entry("edit", () => import("./commands/tasks/edit.ts").then(({ edit }) => edit)),
  entry("retry", () => import("./commands/tasks/retry.ts").then(({ retry }) => retry)),
  entry("resume", () => import("./commands/tasks/resume.ts").then(({ resume }) => resume)),
  entry("result", () => import("./commands/tasks/result.ts").then(({ result }) => result)),
  entry("logs", () => import("./commands/tasks/logs.ts").then(({ logs }) => logs)),
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
  entry("list", () => import("./commands/tasks/list.ts").then(({ list }) => list), ["ls"]),
  entry("status", () => import("./commands/tasks/status.ts").then(({ status }) => status)),
  entry("why", () => import("./commands/tasks/why.ts").then(({ why }) => why)),
  entry("graph", () => import("./commands/tasks/graph.ts").then(({ graph }) => graph)),
  entry("workers", () => import("./commands/setup/workers.ts").then(({ workers }) => workers)),
  entry("init", () => import("./commands/setup/init.ts").then(({ init }) => init)),
  entry("agents list", () => import("./commands/setup/agents.ts").then(({ agentsList }) => agentsList)),
  entry("agents check", () => import("./commands/setup/agents.ts").then(({ agentsCheck }) => agentsCheck)),
  entry("config show", () => import("./commands/setup/config.ts").then(({ configShow }) => configShow)),
  entry("config get", () => import("./commands/setup/config.ts").then(({ configGet }) => configGet)),
  entry("config set", () => import("./commands/setup/config.ts").then(({ configSet }) => configSet)),
  entry("config unset", () => import("./commands/setup/config.ts").then(({ configUnset }) => configUnset)),
  entry("config path", () => import("./commands/setup/config.ts").then(({ configPath }) => configPath)),
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
