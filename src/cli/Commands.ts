/** All commands of `beat`, in the order of the overview. */
import type { Command } from "./Command.ts"
import type { CommandTree } from "./CommandTree.ts"
import { agentsCheck, agentsList } from "./commands/agents.ts"
import { cancel } from "./commands/cancel.ts"
import { complete, completion } from "./commands/completion.ts"
import { configGet, configPath, configSet, configShow, configUnset } from "./commands/config.ts"
import { doctor } from "./commands/doctor.ts"
import { edit } from "./commands/edit.ts"
import { graph } from "./commands/graph.ts"
import { init } from "./commands/init.ts"
import { list } from "./commands/list.ts"
import { logs } from "./commands/logs.ts"
import { mcpConfig, mcpInstall, mcpStart, mcpTest } from "./commands/mcp.ts"
import { bare } from "./commands/overview.ts"
import { pipelineCancel, pipelineList, pipelineRetry, pipelineStatus } from "./commands/pipeline.ts"
import { pipelineCheck, pipelineRun, pipelineSchema } from "./commands/pipelineRun.ts"
import { prune } from "./commands/prune.ts"
import { result } from "./commands/result.ts"
import { resume } from "./commands/resume.ts"
import { retry } from "./commands/retry.ts"
import { run } from "./commands/run.ts"
import {
  scheduleCancel,
  scheduleHistoryCommand,
  scheduleList,
  schedulePause,
  scheduleResume,
  scheduleRunNow,
  scheduleStatus
} from "./commands/schedule.ts"
import { scheduleCreate, scheduleEdit } from "./commands/scheduleCreate.ts"
import { serviceInstall, serviceStatusCommand, serviceUninstall } from "./commands/service.ts"
import { status } from "./commands/status.ts"
import { wait } from "./commands/wait.ts"
import { why } from "./commands/why.ts"
import { worker } from "./commands/worker.ts"
import { workers } from "./commands/workers.ts"
import { UsageError } from "./UsageError.ts"

const groups: CommandTree["groups"] = {
  agents: { summary: "Show and check the coding agents", standard: "list" },
  config: { summary: "Show and change settings", standard: "show" },
  pipeline: { summary: "Run several steps in order, as one", standard: "list" },
  schedule: { summary: "Run things at given times", standard: "list" },
  service: { summary: "Keep a worker running through reboots", standard: "status" },
  mcp: { summary: "Serve agents through MCP", standard: "config" }
}

const commands: ReadonlyArray<Command> = [
  bare,
  run,
  wait,
  cancel,
  edit,
  retry,
  resume,
  result,
  logs,
  pipelineRun,
  pipelineCheck,
  pipelineCancel,
  pipelineRetry,
  pipelineList,
  pipelineStatus,
  pipelineSchema,
  scheduleCreate,
  scheduleEdit,
  schedulePause,
  scheduleResume,
  scheduleCancel,
  scheduleRunNow,
  scheduleList,
  scheduleStatus,
  scheduleHistoryCommand,
  list,
  status,
  why,
  graph,
  workers,
  init,
  agentsList,
  agentsCheck,
  configShow,
  configGet,
  configSet,
  configUnset,
  configPath,
  mcpStart,
  mcpConfig,
  mcpInstall,
  mcpTest,
  // The same for the torture run, which '--torture' chooses.
  doctor(() => new UsageError({ problem: "'doctor' has to come first", hint: "beat doctor --torture" })),
  serviceInstall,
  serviceUninstall,
  serviceStatusCommand,
  prune,
  // Only its help is here: the worker has a bundle of its own, which the first word on the command line chooses.
  worker(() => new UsageError({ problem: "'worker' has to come first", hint: "beat worker [options]" })),
  completion
]

/** The command that completions call knows all the others. */
export const tree: CommandTree = { groups, commands: [...commands, complete({ groups, commands })] }
