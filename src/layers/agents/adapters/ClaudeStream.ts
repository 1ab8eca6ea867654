/** The stream-json format of Claude Code, which Qwen Code prints too. */
import * as Schema from "effect/Schema"
import type { Evidence } from "../../../domain/task/Agent.ts"
import type { Usage } from "../../../domain/task/Task.ts"
import { type ModelUse, modelUse, sumOf } from "../../../domain/usage/ModelUse.ts"
import { flag, listOf, loose, number, ofTypes, reader, text } from "../reading/Printed.ts"
import { instant } from "../reading/ResetTime.ts"
import { toolCall } from "../reading/Show.ts"
import type { Failed, Findings } from "../reading/Verdict.ts"

export const Block = Schema.Struct({
  type: text,
  text,
  name: text,
  input: Schema.optional(Schema.Unknown),
  is_error: flag,
  content: Schema.optional(Schema.Unknown)
})

const ModelUsage = Schema.Struct({
  inputTokens: number,
  outputTokens: number,
  cacheReadInputTokens: number,
  cacheCreationInputTokens: number,
  costUSD: number
})

const models = loose(Schema.Record({ key: Schema.String, value: ModelUsage }))

const Event = Schema.Struct({
  type: Schema.String,
  subtype: text,
  session_id: text,
  parent_tool_use_id: text,
  isReplay: flag,
  message: loose(Schema.Struct({ content: Schema.optional(Schema.Unknown) })),
  // Of a result.
  is_error: flag,
  is_api_error_message: flag,
  result: text,
  errors: listOf(Schema.String, ""),
  error: Schema.optional(Schema.Unknown),
  terminal_reason: text,
  api_error_status: number,
  api_error_type: text,
  api_error: text,
  permission_denials: listOf(Schema.Struct({ tool_name: text, tool_input: Schema.optional(Schema.Unknown) }), {}),
  total_cost_usd: number,
  usage: loose(
    Schema.Struct({
      input_tokens: number,
      output_tokens: number,
      cache_read_input_tokens: number,
      cache_creation_input_tokens: number
    })
  ),
  modelUsage: models,
  /** What this process used since its last result, where `modelUsage` counts over the session. */
  model_usage_since_last_result: models,
  // Of a rate_limit_event.
  rate_limit_info: loose(
    Schema.Struct({
      status: text,
      rateLimitType: text,
      resetsAt: Schema.optional(Schema.Unknown),
      isUsingOverage: flag
    })
  ),
  // Of system events.
  attempt: number,
  max_retries: number,
  retry_delay_ms: number,
  error_status: number,
  content: text,
  description: text,
  status: text,
  summary: text
})
export type Event = typeof Event.Type

export const read = reader(Event)
const readBlocks = Schema.decodeUnknownOption(Schema.Array(Block))

/** A tool result is a text or a list of blocks. */
const Blocks = Schema.Struct({ blocks: listOf(Block, {}) })
export const decodeBlocks = (content: unknown): ReadonlyArray<typeof Block.Type> => {
  if (typeof content === "string") return [{ type: "text", text: content }]
  const decoded = readBlocks(content)
  if (decoded._tag === "Some") return decoded.value
  const lenient = Schema.decodeUnknownOption(Blocks)({ blocks: content })
  return lenient._tag === "Some" ? (lenient.value.blocks ?? []) : []
}

export const textOf = (content: unknown): string =>
  decodeBlocks(content)
    .map((block) => block.text ?? "")
    .join("\n")

const sum = (
  uses: ReadonlyArray<Readonly<Record<string, typeof ModelUsage.Type>>>,
  cumulative: boolean
): Usage | null => {
  const all = uses.flatMap((use) => Object.values(use))
  if (all.length === 0) return null
  const total = (pick: (use: typeof ModelUsage.Type) => number | undefined) => {
    const counts = all.map(pick).filter((count) => count !== undefined)
    return counts.length === 0 ? null : counts.reduce((one, other) => one + other, 0)
  }
  return {
    inputTokens: total((use) => use.inputTokens),
    outputTokens: total((use) => use.outputTokens),
    cacheReadTokens: total((use) => use.cacheReadInputTokens),
    cacheWriteTokens: total((use) => use.cacheCreationInputTokens),
    costUsd: total((use) => use.costUSD),
    cumulative
  }
}

/**
 * `total_cost_usd` and `modelUsage` count over the session, resumed runs included. Newer versions also print what each
 * result added, which is this run's alone; without that, the numbers are marked.
 */
const usageOf = (results: ReadonlyArray<Event>): Usage | null => {
  const last = results.at(-1)
  if (last === undefined) return null
  const added = results.map((result) => result.model_usage_since_last_result)
  if (added.every((use) => use !== undefined)) return sum(added, false)
  const total = last.modelUsage === undefined ? null : sum([last.modelUsage], true)
  if (total !== null) return { ...total, costUsd: last.total_cost_usd ?? total.costUsd }
  const use = last.usage
  if (use === undefined) return null
  return {
    inputTokens: use.input_tokens ?? null,
    outputTokens: use.output_tokens ?? null,
    cacheReadTokens: use.cache_read_input_tokens ?? null,
    cacheWriteTokens: use.cache_creation_input_tokens ?? null,
    costUsd: last.total_cost_usd ?? null,
    cumulative: last.total_cost_usd !== undefined
  }
}

const usesOf = (models: Readonly<Record<string, typeof ModelUsage.Type>>): ReadonlyArray<ModelUse> =>
  Object.entries(models).map(([model, use]) =>
    modelUse(
      model,
      {
        inputTokens: use.inputTokens,
        outputTokens: use.outputTokens,
        cacheReadTokens: use.cacheReadInputTokens,
        cacheWriteTokens: use.cacheCreationInputTokens
      },
      use.costUSD
    )
  )

/** One use for each model, where the results of a run name it several times. */
const merged = (uses: ReadonlyArray<ModelUse>): ReadonlyArray<ModelUse> => {
  const byName = new Map<string | null, ModelUse>()
  for (const use of uses) {
    const same = byName.get(use.model)
    byName.set(use.model, same === undefined ? use : sumOf(same, use))
  }
  return Array.from(byName.values())
}

/** By model, counted as `usageOf` counts. */
const byModel = (results: ReadonlyArray<Event>): ReadonlyArray<ModelUse> | undefined => {
  const since = results.map((result) => result.model_usage_since_last_result).filter((use) => use !== undefined)
  if (since.length > 0 && since.length === results.length) return merged(since.flatMap(usesOf))
  const total = results.at(-1)?.modelUsage
  const uses = total === undefined ? [] : usesOf(total)
  return uses.length === 0 ? undefined : uses
}

const errorText = (error: unknown): string | undefined => {
  if (typeof error === "string") return error
  if (typeof error !== "object" || error === null || !("message" in error)) return undefined
  return typeof error.message === "string" ? error.message : undefined
}

/** The API error that an answer is, or null: Qwen Code up to 0.15 gives one as an ordinary answer. */
export const apiErrorIn = (answer: string): string | null => {
  const said = /^\[API Error\b:?([\s\S]*)$/.exec(answer.trim())?.[1]
  return said === undefined ? null : said.replace(/\]$/, "").trim()
}

const messageOf = (result: Event): string =>
  [result.result, errorText(result.error), result.errors?.filter((error) => error.length > 0).join("; ")].find(
    (said) => said !== undefined && said.length > 0
  ) ?? `ended with ${result.subtype ?? "an error"}`

/** `desk`: its requests were answered by persons and rules. A refusal is an answer then. */
export const failureOf = (result: Event, events: ReadonlyArray<Event>, desk: boolean): Failed | null => {
  const disguised = result.result === undefined ? null : apiErrorIn(result.result)
  const failed = result.is_error === true || (result.subtype ?? "success") !== "success"
  if (!failed && disguised === null) return desk ? null : denied(result)
  if (result.terminal_reason?.startsWith("aborted") === true) {
    return { message: "The agent was interrupted before it was done.", class: "agent" }
  }
  // The newest event counts: older ones may be stale banners.
  const limits = events.filter((event) => event.type === "rate_limit_event")
  const limit = limits.at(-1)?.rate_limit_info
  return {
    message: disguised ?? messageOf(result),
    status: result.api_error_status,
    codes: [result.api_error, result.api_error_type, result.terminal_reason, result.subtype],
    resetAt: limit?.status === "rejected" ? instant(limit.resetsAt) : null,
    // No window that waiting opens is full: the paid credits are used up.
    class: limit?.status === "rejected" && limit.rateLimitType === "overage" ? "budget" : undefined
  }
}

/** A call that was refused leaves exit code 0 and `success` behind. */
const denied = (result: Event): Failed | null => {
  const denials = result.permission_denials ?? []
  if (denials.length === 0) return null
  const calls = denials.slice(0, 5).map((call) => toolCall(call.tool_name, call.tool_input).replace("→ ", ""))
  const more = denials.length > 5 ? ` and ${denials.length - 5} more` : ""
  return { message: `The agent was denied permission for: ${calls.join("; ")}${more}`, class: "agent" }
}

/** A run that was ended while it waited to try again. Nothing that a turn consists of came after that. */
const retryOf = (stdout: ReadonlyArray<string>): Failed | null => {
  const last = stdout.findLast((line) =>
    /"(?:type"\s*:\s*"(?:assistant|user|result)|subtype"\s*:\s*"api_retry)"/.test(line)
  )
  const event = last === undefined ? null : read(last)
  if (event?.type !== "system" || event.subtype !== "api_retry") return null
  const error = typeof event.error === "string" ? event.error : undefined
  const why = [event.error_status, error].filter((part) => part !== undefined).join(" ")
  return { message: `The model service kept failing (${why}).`, status: event.error_status, codes: [error] }
}

/** A request for a tool or to a person, which only a run that has been given a desk prints. */
export const isRequest = (line: string): boolean =>
  /^\{"type":"control_request"/.test(line) && line.includes('"subtype":"can_use_tool"')

/** What the stream says. Several results may be printed by one run: the last one counts. */
export const findings = (evidence: Evidence): Findings => {
  const events = ofTypes(evidence.stdout, ["system", "result", "rate_limit_event"])
    .map(read)
    .filter((event) => event !== null)
  const results = events.filter((event) => event.type === "result")
  const last = results.at(-1)
  const sessionId = [...events].reverse().find((event) => event.session_id !== undefined)?.session_id ?? null
  if (last === undefined)
    return { failure: retryOf(evidence.stdout), finished: false, answer: null, sessionId, usage: null }
  const failure = failureOf(last, events, evidence.stdout.some(isRequest))
  const isAnswer = last.is_error !== true && last.result !== undefined && apiErrorIn(last.result) === null
  return {
    failure,
    finished: true,
    answer: isAnswer ? (last.result ?? null) : null,
    sessionId: last.session_id ?? sessionId,
    usage: usageOf(results),
    uses: byModel(results)
  }
}
