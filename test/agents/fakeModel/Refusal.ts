/** How model services refuse, each in its own form. */
import type { Api } from "./Request.ts"

const words: Readonly<Record<number, string>> = {
  400: "bad request",
  401: "invalid x-api-key",
  403: "forbidden",
  404: "model not found",
  429: "rate limit",
  500: "internal error",
  503: "unavailable",
  529: "Overloaded"
}

const anthropicTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error"
}

const geminiStates: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE"
}

const google = "type.googleapis.com/google.rpc"

const geminiDetails = (status: number, kind: string): ReadonlyArray<unknown> => {
  if (status !== 429) return []
  if (kind !== "usage_limit") return [{ "@type": `${google}.RetryInfo`, retryDelay: "1s" }]
  const violations = [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel", quotaValue: "100" }]
  return [{ "@type": `${google}.QuotaFailure`, violations }]
}

/** Seconds, where a line names none. */
const standardReset = 3600

const openaiBody = (status: number, message: string, kind: string, resets: Resets): unknown => {
  if (kind === "usage_limit") {
    const reset = { resets_at: resets.at, resets_in_seconds: resets.after }
    return { error: { type: "usage_limit_reached", message, plan_type: "plus", ...reset } }
  }
  if (kind === "billing") return { error: { type: "insufficient_quota", code: "insufficient_quota", message } }
  const code = status === 401 ? "invalid_api_key" : status === 429 ? "rate_limit_exceeded" : null
  return { error: { message, type: status >= 500 ? "server_error" : "invalid_request_error", code, param: null } }
}

/** When a usage limit ends, in seconds: since 1970, and from now on. */
interface Resets {
  readonly at: number
  readonly after: number
}

/** As the services tell windows in the headers of a refusal. */
const limitHeaders = (api: Api, { at }: Resets): Readonly<Record<string, string>> => {
  switch (api) {
    case "anthropic":
      return {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": String(at),
        "anthropic-ratelimit-unified-representative-claim": "five_hour"
      }
    case "responses":
      return {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": String(at)
      }
    default:
      return {}
  }
}

export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** When the usage limit ends, in seconds since 1970; null: it is not one. */
  readonly resetsAt: number | null
}

/** From the words of an ERROR line. */
export const refusalOf = (api: Api, line: string, now: number): Refusal => {
  const status = Number(/\b\d{3}\b/.exec(line)?.[0] ?? 500)
  const kind = /\b(usage_limit|billing)\b/.exec(line)?.[1] ?? ""
  const retryAfter = /retry-after=(\S+)/.exec(line)?.[1]
  const after = Number(/\bresets=(\d+)/.exec(line)?.[1] ?? standardReset)
  const resets = { at: Math.floor(now / 1000) + after, after }
  const rest = line.replace(/\b\d{3}\b|\bx\d+\b|retry-after=\S+|\bresets=\d+|\b(?:usage_limit|billing)\b/g, "").trim()
  const message = rest === "" ? (words[status] ?? "error") : rest
  const isLimit = kind === "usage_limit"
  const headers = {
    ...(isLimit ? limitHeaders(api, resets) : {}),
    ...(retryAfter === undefined ? {} : { "retry-after": retryAfter })
  }
  const resetsAt = isLimit ? resets.at : null
  if (api === "anthropic") {
    const error = { type: anthropicTypes[status] ?? "api_error", message }
    return { status, headers, body: { type: "error", error }, resetsAt }
  }
  if (api === "gemini") {
    const error = { code: status, message, status: geminiStates[status] ?? "UNKNOWN" }
    return { status, headers, body: { error: { ...error, details: geminiDetails(status, kind) } }, resetsAt }
  }
  return { status, headers, body: openaiBody(status, message, kind, resets), resetsAt }
}
