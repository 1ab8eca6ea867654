/** Which quota of Google is exceeded. All have the text that also means an empty account elsewhere: "check your plan and billing". */
import { longestSleepMs } from "../../../domain/limits/Signal.ts"
import { lengthIn } from "./ResetTime.ts"

/** What is known of a failure: see `Signs` of `Failure.ts`. */
interface Told {
  readonly message: string
  readonly codes?: ReadonlyArray<string | undefined>
  readonly details?: string | undefined
}

interface GoogleQuota {
  readonly class: "rate" | "usage-limit"
  /** It begins again at midnight in Los Angeles, whatever pause the text advises. */
  readonly daily: boolean
}

const exceeded =
  /\bexceeded\b[^.]{0,40}\bquota|quota exceeded|exhausted your daily quota|resource (?:has been )?exhausted|RESOURCE_EXHAUSTED/i
const google =
  /quota exceeded for (?:quota )?metric|googleapis\.com|ai\.google\.dev|google\.rpc\.|RESOURCE_EXHAUSTED|daily quota on this model/i
/** `GenerateRequestsPerDayPerProjectPerModel-FreeTier`, "Requests per day per user". */
const perDay = /per[ _-]?day|daily quota/i
/** What the plan allows, in the text and in the details. */
const allowances = /\blimit: (\d+)|"quotaValue\\*":\s*\\*"(\d+)/g

const pauseIn = (said: string): number | null => {
  const seconds = /\bretryDelay\\*["']?:\s*\\*["']?([\d.]+)s/.exec(said)?.[1]
  return lengthIn(said) ?? (seconds === undefined ? null : Number(seconds) * 1000)
}

/** Null where it is not such a quota, and where the plan has none at all for the model: a person has to change that. */
export const googleQuota = ({ codes = [], details = "", message }: Told): GoogleQuota | null => {
  const said = `${message.slice(0, 20_000)}\n${details.slice(-20_000)}`
  const code = codes.find((one) => one !== undefined && /^(?:Terminal|Retryable)QuotaError$/.test(one))
  if (!exceeded.test(message) || (code === undefined && !google.test(said))) return null
  const allowed = Array.from(said.matchAll(allowances), ([, text, detail]) => Number(text ?? detail))
  if (allowed.length > 0 && allowed.every((count) => count === 0)) return null
  if (perDay.test(said)) return { class: "usage-limit", daily: true }
  const pause = pauseIn(said)
  const long = pause !== null && pause > longestSleepMs
  // Gemini CLI gives up on long pauses, and on short ones only for a quota of a day.
  if (code?.startsWith("Terminal") === true) return { class: "usage-limit", daily: pause !== null && !long }
  return { class: long ? "usage-limit" : "rate", daily: false }
}
