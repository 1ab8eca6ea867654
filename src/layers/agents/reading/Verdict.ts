/** From what an adapter found in the stream, and from the exit code, to the verdict: both must say success. */
import type { Evidence, Verdict } from "../../../domain/task/Agent.ts"
import type { FailureClass, Usage } from "../../../domain/task/Task.ts"
import type { ModelUse } from "../../../domain/usage/ModelUse.ts"
import { cutEnd, cutMiddle } from "./Bounds.ts"
import { type Adviser, advice, classify, type Signs } from "./Failure.ts"
import { googleQuota } from "./googleQuota.ts"
import { nextPacificMidnight, resetIn } from "./ResetTime.ts"
import { mask } from "./Secrets.ts"

export const maxErrorBytes = 4096
export const maxAnswerBytes = 1_000_000

/** What an adapter found. */
export interface Findings {
  /** The agent itself says that it failed. */
  readonly failure: Failed | null
  /** The agent's own end mark was seen. Agents that print none give true. */
  readonly finished: boolean
  readonly answer: string | null
  readonly sessionId: string | null
  readonly usage: Usage | null
  /** By model, and with cached tokens apart from the input, where `usage` has it otherwise. */
  readonly uses?: ReadonlyArray<ModelUse> | undefined
  /** The meaning of a bare exit code other than 0, where the output must not be used to guess it. */
  readonly exitClass?: FailureClass | undefined
}

export interface Failed extends Signs {
  /** Where the adapter knows better than the text. */
  readonly class?: FailureClass | undefined
  /** Milliseconds since 1970. */
  readonly resetAt?: number | null | undefined
  /** This exit code is the agent's way to say so, although it looks like a signal's. */
  readonly ownExitCode?: boolean | undefined
}

/** The last lines that say something, at most `limit` of them. */
const tail = (lines: ReadonlyArray<string>, limit: number): string => {
  const said: Array<string> = []
  for (let at = lines.length - 1; at >= 0 && said.length < limit; at--) {
    const line = lines[at]
    if (line !== undefined && line.trim().length > 0) said.unshift(line.slice(0, 2000).trimEnd())
  }
  return said.join("\n")
}

const resetOf = (why: Failed, { endedAt, zone }: Evidence): number | null =>
  why.resetAt ??
  (googleQuota(why)?.daily === true ? nextPacificMidnight(endedAt) : resetIn(why.message, endedAt, zone ?? null))

const failed = (
  agent: Adviser,
  evidence: Evidence,
  findings: Findings,
  cause: Verdict["cause"],
  why: Failed
): Verdict => {
  const failureClass = why.class ?? classify(why, cause === "agent-error" ? "agent" : "unknown")
  const resetAt = failureClass === "usage-limit" ? resetOf(why, evidence) : null
  const help = advice(agent, failureClass, resetAt, evidence.endedAt)
  const message = cutMiddle(mask(why.message), maxErrorBytes - 600)
  return {
    status: "failed",
    cause,
    error: cutEnd(help === null ? message : `${message}\n${help}`, maxErrorBytes),
    failureClass,
    failureResetAt: resetAt,
    sessionId: findings.sessionId,
    answer: bounded(findings.answer),
    usage: counted(findings.usage),
    uses: findings.uses
  }
}

/** A count as it may be stored; null for what can be none. */
const count = (value: number | null): number | null => {
  const whole = value === null ? Number.NaN : Math.round(value)
  return Number.isSafeInteger(whole) && whole >= 0 ? whole : null
}

const counted = (usage: Usage | null): Usage | null =>
  usage === null
    ? null
    : {
        inputTokens: count(usage.inputTokens),
        outputTokens: count(usage.outputTokens),
        cacheReadTokens: count(usage.cacheReadTokens),
        cacheWriteTokens: count(usage.cacheWriteTokens),
        costUsd: usage.costUsd !== null && Number.isFinite(usage.costUsd) && usage.costUsd >= 0 ? usage.costUsd : null,
        cumulative: usage.cumulative
      }

const bounded = (answer: string | null): string | null => (answer === null ? null : cutMiddle(answer, maxAnswerBytes))

/** `saidBy`: the streams in which an agent that ends without its own report may have said why. */
export const judge = (
  agent: Adviser,
  evidence: Evidence,
  findings: Findings,
  saidBy: ReadonlyArray<string> = evidence.stderr
): Verdict => {
  const { exitCode, signal } = evidence.end
  const failure = findings.failure
  const last = tail(saidBy, 12)
  const after = last.length === 0 ? "." : `:\n${last}`
  if (signal !== null && failure?.ownExitCode !== true) {
    // The last problem that the agent reported is often the reason for the signal.
    const why = failure === null ? after : `: ${failure.message}`
    const message = `${agent.name} was ended by signal ${signal}${why}`
    return failed(agent, evidence, findings, "signal", {
      ...failure,
      message,
      class: failure === null ? "unknown" : (failure.class ?? classify(failure, "unknown"))
    })
  }
  if (failure !== null) return failed(agent, evidence, findings, "agent-error", failure)
  if (exitCode === null) {
    const message = `The exit status of ${agent.name} could not be read.`
    return failed(agent, evidence, findings, "agent-error", { message, class: "unknown" })
  }
  if (exitCode !== 0) {
    const message = `${agent.name} ended with exit code ${exitCode}${after}`
    return failed(agent, evidence, findings, "exit", { message, class: findings.exitClass })
  }
  if (!findings.finished) {
    const message = `${agent.name} ended with exit code 0 but without a result${after}`
    return failed(agent, evidence, findings, "agent-error", { message, class: "agent" })
  }
  return {
    status: "completed",
    cause: "exit",
    error: null,
    failureClass: null,
    failureResetAt: null,
    sessionId: findings.sessionId,
    answer: bounded(findings.answer),
    usage: counted(findings.usage),
    uses: findings.uses
  }
}
