/** Agents from the config file: a command with places for prompt, model and system prompt. */

import type { AgentSettings } from "../../../domain/settings/Settings.ts"
import type { Agent, PlanRequest } from "../../../domain/task/Agent.ts"
import type { Launch } from "../../../domain/task/NewTask.ts"
import { plain } from "../reading/Show.ts"
import { modelOf, prefix } from "../starting/Start.ts"

const promptPlace = /\{prompt\}|\{promptFile\}/

/** Every place in one pass, so that a value that looks like a place stays what it is. */
const fill = (part: string, model: string | null, system: string | null): string =>
  part.replace(/\{model\}|\{system\}/g, (place) => (place === "{model}" ? model : system) ?? "")

const launchOf = (command: ReadonlyArray<string>, request: PlanRequest): Launch => {
  const template = [...command.slice(1), ...(request.settings.args ?? [])]
  const model = modelOf(request)
  const args = template.map((part) => fill(part, model, request.systemPrompt))
  // Decided by the template: a model named `{prompt}` makes no place for a prompt.
  const promptAt = template.flatMap((part, at) => (promptPlace.test(part) ? [at] : []))
  return {
    file: request.program,
    args,
    promptAt,
    stdin: promptAt.length === 0 ? "prompt" : request.steer ? "lines" : "none",
    ...(template.some((part) => part.includes("{system}")) ? {} : prefix(request.systemPrompt))
  }
}

export const custom = (name: string, command: NonNullable<AgentSettings["command"]>): Agent => ({
  name,
  title: `${name} (custom)`,
  program: command[0],
  install: null,
  login: null,
  credentialVariables: [],
  loginFiles: [],
  resumes: false,
  plan: (request) => ({
    launch: launchOf(command, request),
    environment: {},
    sessionId: null,
    warnings:
      modelOf(request) !== null && !command.some((part) => part.includes("{model}"))
        ? [`The command of agent ${name} has no place for {model}: the model is ignored.`]
        : []
  }),
  renderer: plain
})
