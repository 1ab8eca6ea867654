/** Why an agent failed, from the HTTP status, the error code and, last, the text; and what a person can do about it. */
import type { FailureClass } from "../../../domain/task/Task.ts"
import { googleQuota } from "./googleQuota.ts"

type Class = typeof FailureClass.Type

/** What is known of a failure. */
export interface Signs {
  readonly message: string
  /** HTTP status of the model service. */
  readonly status?: number | undefined
  /** Error codes and types in the words of the agent or its model service. */
  readonly codes?: ReadonlyArray<string | undefined>
  /** What else was printed of the same failure, where the message is only a part of it. */
  readonly details?: string | undefined
}

const codes: ReadonlyArray<readonly [RegExp, Class]> = [
  [/^(usage_limit_reached|usage_limit|UsageLimitError|TerminalQuotaError)$/i, "usage-limit"],
  [
    /^(insufficient_(?:quota|balance|credits?|funds)|CreditsError|billing_error|billing|billing_not_active|budget_exhausted|error_max_budget_usd)$/i,
    "budget"
  ],
  [
    /^(authentication|authentication_error|permission_error|invalid_api_key|ProviderAuthError|FatalAuthenticationError)$/i,
    "auth"
  ],
  [/^(rate_limit|rate_limit_error|rate_limit_exceeded|RetryableQuotaError)$/i, "rate"],
  [/^(overloaded|overloaded_error|server_error)$/i, "overloaded"],
  [/^(connection_failed|connection_error|request_timeout|timeout|timeout_error)$/i, "network"],
  [/^(model_not_found|ProviderModelNotFoundError|ModelNotFoundError)$/i, "model"],
  [/^(error_max_turns|max_turns|FatalTurnLimitedError)$/i, "max-turns"]
]

/** Phrases that say more than the status that comes with them: a 429 may be a rate, a usage limit or an empty account. */
const decisive: ReadonlyArray<readonly [RegExp, Class]> = [
  [
    // The four characters say that the balance does not suffice.
    /(?:insufficient|not enough)[_ ]?(?:(?:account|credit|wallet)[_ ])?(?:balance|quota|funds|credits?)(?![a-z])|\bbalance (?:is |has been )?(?:insufficient|too low|not (?:enough|sufficient)|exhausted|depleted|used up|negative|empty)|\u4f59\u989d\u4e0d\u8db3|(?:not|n't) have (?:any|enough) (?:balance|funds|credits?)(?![a-z])|credits? (?:are|is|have been) (?:depleted|exhausted|used up)|(?:requires more|used all (?:available|your)) credits|can only afford/i,
    "budget"
  ],
  [
    /spend(?:ing)? (?:limit|cap)|credit balance|out of (?:\w+ )?credits|check your plan and billing|payment required|max(?:imum)? budget/i,
    "budget"
  ],
  [
    /(?<!\bnot (?:your |a |the )?)usage limit|hit your [^.]{0,40}limit|(?:session|weekly|hourly|daily|monthly|5-hour) (?:usage )?limit|(?:daily|monthly|your) quota|out of (?:\w+ )?usage/i,
    "usage-limit"
  ],
  // A notice of capacity names a model, which is not what is wrong.
  [/at capacity|high demand/i, "overloaded"],
  [/max(?:imum)? (?:session |number of )?turns|turn limit/i, "max-turns"],
  [
    /selected model|model[^.]{0,60}(?:not found|not exist|does not exist|is not supported|not available|not support)|(?:unknown|invalid|no such) model|model not found/i,
    "model"
  ]
]

const phrases: ReadonlyArray<readonly [RegExp, Class]> = [
  [
    /not logged in|log ?in (?:again|first|required)|please (?:run )?.{0,20}log ?in|\/login|unauthori[sz]ed|unauthenticated|authenticat(?:e|ion)|(?:invalid|incorrect|missing|no|expired)[^.]{0,30}(?:api[- _]?key|x-api-key|token|credential)|api[- _]?key[^.]{0,40}(?:not|invalid|missing|expired|required)|auth method|permission denied for/i,
    "auth"
  ],
  [/rate.?limit|too many requests|resource (?:has been )?exhausted|quota/i, "rate"],
  [
    /overloaded|at capacity|high demand|internal (?:server )?error|service unavailable|temporarily unavailable|bad gateway|server-side issue|server error/i,
    "overloaded"
  ],
  [
    /E(?:CONNREFUSED|CONNRESET|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE)|UND_ERR|connection (?:refused|reset|failed|error|closed|timed out)|error sending request|fetch failed|network|can't reach|cannot connect|getaddrinfo|dns|timed out|socket hang up|certificate/i,
    "network"
  ]
]

const ofStatus = (status: number): Class | null =>
  status === 401 || status === 403
    ? "auth"
    : status === 402
      ? "budget"
      : status === 404
        ? "model"
        : status === 429
          ? "rate"
          : status === 408
            ? "network"
            : status >= 500 && status < 600
              ? "overloaded"
              : null

const saidStatus = (message: string): number | undefined => {
  const found =
    /\b(?:status(?: code)?|HTTP(?:\/\d(?:\.\d)?)?|API Error|code)["']?\s*[:=]?\s*\(?([45]\d\d)\b|^([45]\d\d)\s|\(([45]\d\d)\)/i.exec(
      message
    )
  const digits = found?.[1] ?? found?.[2] ?? found?.[3]
  return digits === undefined ? undefined : Number(digits)
}

const first = (table: ReadonlyArray<readonly [RegExp, Class]>, said: string): Class | null =>
  table.find(([pattern]) => pattern.test(said))?.[1] ?? null

/** `otherwise` when nothing shows the class. */
export const classify = (signs: Signs, otherwise: Class): Class => {
  const quota = googleQuota(signs)
  if (quota !== null) return quota.class
  const message = signs.message.slice(0, 20_000)
  const named = (signs.codes ?? []).filter((code) => code !== undefined)
  const byCode = named.map((code) => first(codes, code)).find((found) => found !== null) ?? null
  if (byCode !== null && byCode !== "rate" && byCode !== "overloaded") return byCode
  const told = first(decisive, message)
  if (told !== null) return told
  if (byCode !== null) return byCode
  const status = signs.status ?? saidStatus(message)
  return (status === undefined ? null : ofStatus(status)) ?? first(phrases, message) ?? otherwise
}

/** The agent's side of an advice. */
export interface Adviser {
  readonly name: string
  readonly login: string | null
  readonly credentialVariables: ReadonlyArray<string>
}

/** How to give this agent credentials, in one sentence. */
export const credentialAdvice = (agent: Adviser): string => {
  const [variable] = agent.credentialVariables
  const ways = [
    agent.login === null ? null : `log in with: ${agent.login}`,
    variable === undefined ? null : `set ${variable}`,
    `run: beat config set agents.${agent.name}.apiKey KEY`
  ].filter((way) => way !== null)
  return `To give ${agent.name} credentials, ${ways.slice(0, -1).join(", ")} or ${ways.at(-1)}`
}

/** What mends a failure of this class, which came at `now`; null when there is nothing to add. */
export const advice = (agent: Adviser, failure: Class, resetAt: number | null, now: number): string | null => {
  switch (failure) {
    case "auth":
      return `${credentialAdvice(agent)}; then: beat retry`
    case "model":
      return `Name another model with -m, or: beat config set agents.${agent.name}.model MODEL`
    case "usage-limit":
      return resetAt === null
        ? `Wait until the limit of this ${agent.name} account is over, then: beat retry. Or use another agent with -a`
        : `The limit ${resetAt > now ? "ends" : "ended"} at ${new Date(resetAt).toISOString().replace(/:\d\d\.\d+Z$/, "Z")}; then: beat retry. Or use another agent with -a`
    case "budget":
      return "Waiting does not help: add credit or raise the limit, then: beat retry"
    case "network":
      return `Check the network and agents.${agent.name}.baseUrl, then: beat retry`
    case "rate":
    case "overloaded":
      return "This usually ends without action. Try again later: beat retry. To retry automatically: beat run --retries 3"
    case "max-turns":
      return "Raise the limit on turns, or make the task smaller, then: beat retry"
    case "agent":
    case "unknown":
      return null
  }
}
