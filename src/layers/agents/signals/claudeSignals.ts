/** What a line of Claude Code's stream says about limits and tokens: windows on each answer, refusals, long pauses inside. */
import * as Schema from "effect/Schema"
import type { LimitSignal, Seen } from "../../../domain/limits/Signal.ts"
import { longestSleepMs } from "../../../domain/limits/Signal.ts"
import { modelUse } from "../../../domain/usage/ModelUse.ts"
import { flag, loose, number, reader, text } from "../reading/Printed.ts"
import { instant } from "../reading/ResetTime.ts"

const WindowInfo = Schema.Struct({ utilization: number, resetsAt: Schema.optional(Schema.Unknown), status: text })

const Line = Schema.Struct({
  type: Schema.String,
  subtype: text,
  retry_delay_ms: number,
  is_api_error_message: flag,
  message: loose(
    Schema.Struct({
      id: text,
      model: text,
      usage: loose(
        Schema.Struct({
          input_tokens: number,
          output_tokens: number,
          cache_read_input_tokens: number,
          cache_creation_input_tokens: number
        })
      )
    })
  ),
  rate_limit_info: loose(
    Schema.Struct({
      status: text,
      rateLimitType: text,
      resetsAt: Schema.optional(Schema.Unknown),
      utilization: number,
      isUsingOverage: flag,
      unifiedWindows: loose(Schema.Record({ key: Schema.String, value: WindowInfo }))
    })
  )
})

const read = reader(Line)

/** `seven_day_opus` limits the models of one family alone. */
const familyOf = (window: string): string => /^seven_day_(opus|sonnet|haiku)$/.exec(window)?.[1] ?? ""

const mostWindows = 10

/** Cheap, because most lines are long and are not about limits. */
const mayTell = /"type"\s*:\s*"(?:assistant|rate_limit_event)"|"subtype"\s*:\s*"api_retry"/

/** Each block of an answer has a line, with the counts of the answer as they were when it began. */
const usedBy = (message: (typeof Line.Type)["message"]): ReadonlyArray<LimitSignal> => {
  const usage = message?.usage
  if (message?.id === undefined || usage === undefined) return []
  const use = modelUse(message.model, {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheWriteTokens: usage.cache_creation_input_tokens
  })
  return [{ _tag: "Used", key: message.id, use }]
}

export const claudeSignals = (line: string): ReadonlyArray<LimitSignal> => {
  if (!mayTell.test(line)) return []
  const event = read(line)
  if (event?.type === "assistant") {
    const answered = event.is_api_error_message !== true && event.message?.model !== "<synthetic>"
    return answered ? [{ _tag: "Served" }, ...usedBy(event.message)] : []
  }
  if (event?.type === "system") {
    const ms = event.retry_delay_ms ?? 0
    return ms > longestSleepMs ? [{ _tag: "Sleeping", ms }] : []
  }
  const info = event?.rate_limit_info
  if (info === undefined) return []
  // On paid credits the window is full and the run continues: the windows close nothing then.
  const paid = info.isUsingOverage === true
  const windows = Object.entries(info.unifiedWindows ?? {})
    .slice(0, mostWindows)
    .map(
      ([window, { resetsAt, status, utilization }]): Seen => ({
        _tag: "Seen",
        window: window.slice(0, 64),
        family: familyOf(window),
        used: utilization ?? null,
        closed: status === "rejected" && !paid,
        resetsAt: instant(resetsAt)
      })
    )
  const type = info.rateLimitType
  // Without a kind it is a rate that was exceeded; the paid credits have no window.
  const own: ReadonlyArray<Seen> =
    type === undefined || type === "overage" || windows.some(({ window }) => window === type)
      ? []
      : [
          {
            _tag: "Seen",
            window: type.slice(0, 64),
            family: familyOf(type),
            used: info.utilization ?? null,
            closed: info.status === "rejected" && !paid,
            resetsAt: instant(info.resetsAt)
          }
        ]
  return [...windows, ...own, ...(paid ? [{ _tag: "Overage", resetsAt: instant(info.resetsAt) } as const] : [])]
}
