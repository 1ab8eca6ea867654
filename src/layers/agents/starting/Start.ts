/** What the plans of all agents share. */
import { Buffer } from "node:buffer"
import * as Redacted from "effect/Redacted"
import type { PlanRequest } from "../../../domain/task/Agent.ts"

/** Linux takes no argument of 128 kB or more; beyond this a text goes another way. */
export const maxArgumentBytes = 100_000

/** How often an agent itself may retry a model request; null leaves it to the agent. Retrying is Backbeat's to decide. */
export const retriesOf = (request: PlanRequest, otherwise: number): number | null =>
  request.settings.retries === undefined ? otherwise : request.settings.retries

export const modelOf = (request: PlanRequest): string | null => request.model ?? request.settings.model ?? null

/** Variables the submitter did not set himself; undefined ones are left out. */
export const defaults = (
  request: PlanRequest,
  variables: Readonly<Record<string, string | undefined>>
): Record<string, string> => {
  const chosen: Record<string, string> = {}
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && request.environment[name] === undefined) chosen[name] = value
  }
  return chosen
}

/** The key of the config file, unless the environment already brings credentials. */
export const configuredKey = (
  { environment, settings: { apiKey } }: PlanRequest,
  variables: ReadonlyArray<string>
): string | undefined =>
  apiKey === undefined || variables.some((name) => (environment[name] ?? "") !== "")
    ? undefined
    : Redacted.value(apiKey)

/** A system prompt short enough to be an argument. */
export const asArgument = (text: string | null): string | null =>
  text !== null && text.length > 0 && Buffer.byteLength(text) <= maxArgumentBytes ? text : null

/** Puts a system prompt before the prompt, for agents that have no other way to take it. */
export const prefix = (systemPrompt: string | null): { readonly promptPrefix?: string } =>
  systemPrompt === null || systemPrompt.length === 0 ? {} : { promptPrefix: `${systemPrompt}\n\n` }
