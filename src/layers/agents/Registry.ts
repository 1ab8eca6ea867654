/** The agents by name: those built in, and the custom ones of the settings. */

import type { Settings } from "../../domain/settings/Settings.ts"
import type { Agent } from "../../domain/task/Agent.ts"
import { claude } from "./adapters/claude.ts"
import { codex } from "./adapters/codex.ts"
import { copilot } from "./adapters/copilot.ts"
import { custom } from "./adapters/custom.ts"
import { gemini } from "./adapters/gemini.ts"
import { opencode } from "./adapters/opencode.ts"
import { pi } from "./adapters/pi.ts"
import { qwen } from "./adapters/qwen.ts"
import { shell } from "./adapters/shell.ts"

/** By name. */
const builtIn: ReadonlyMap<string, Agent> = new Map(
  [claude, codex, copilot, gemini, opencode, pi, qwen, shell].map((agent) => [agent.name, agent])
)

export const isBuiltIn = (name: string): boolean => builtIn.has(name)

/** Judging and rendering of a built-in agent need no settings. */
export const builtInAgent = (name: string): Agent | undefined => builtIn.get(name)

/** The built-in agents stay what they are: a command under one of their names does not replace them. */
const customAgents = (settings: Settings): ReadonlyArray<Agent> =>
  Object.entries(settings.agents)
    .filter(([name, agent]) => !builtIn.has(name) && agent.command !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([name, agent]) => (agent.command === undefined ? [] : [custom(name, agent.command)]))

/** Built in first, then custom, each group by name. */
export const allAgents = (settings: Settings): ReadonlyArray<Agent> => [...builtIn.values(), ...customAgents(settings)]
