/** Reads the verdict and the score of a round from how its evaluations ended. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { EndCause, TerminalStatus } from "../task/Task.ts"
import type { Verdict } from "./Loop.ts"

/** An evaluation that has ended. */
export interface Evaluation {
  readonly kind: "until" | "score" | "judge"
  readonly status: TerminalStatus
  readonly cause: EndCause
  /** The end of what it printed to stdout. */
  readonly stdout: string
}

const readJson = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
)

/** Also where it is not JSON: Python writes `NaN`, and single quotes around the names. */
const namesScore = /^\{.*["']score["']\s*:/

/** What an object says of the score; undefined: nothing. */
const reported = (text: string): number | null | undefined => {
  const report = readJson(text)
  const score = Option.isSome(report) ? report.value.score : namesScore.test(text) ? null : undefined
  return score === undefined || (typeof score === "number" && Number.isFinite(score)) ? score : null
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const notFinite = /^[+-]?(nan|inf|infinity)$/i

/**
 * The score in an output: the last line that is a number, or a JSON object with a `score`. Null where there is none, or
 * where what that line says is not a finite number: an earlier number is not the score then.
 */
export const scoreIn = (stdout: string): number | null => {
  for (const line of stdout.split("\n").reverse()) {
    const text = line.trim()
    if (notFinite.test(text)) return null
    if (number.test(text)) {
      const value = Number(text)
      return Number.isFinite(value) ? value : null
    }
    if (text.startsWith("{")) {
      const score = reported(text)
      if (score !== undefined) return score
    }
  }
  return null
}

/** The middle one of the samples; of an even number, the mean of the two in the middle. */
export const median = (samples: ReadonlyArray<number>): number | null => {
  const sorted = [...samples].sort((left, right) => left - right)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

/** The command or the judge itself said no. Any other failure says nothing about the round. */
const saysNo = ({ cause, kind, status }: Evaluation) =>
  status === "failed" && (kind === "judge" ? cause === "rejected" : cause === "exit" || cause === "agent-error")

/** All commands of `until` and the judge must pass before a score counts. */
export const evaluate = (
  evaluations: ReadonlyArray<Evaluation>,
  tampered: string | null
): { readonly verdict: Verdict; readonly score: number | null } => {
  const scores = evaluations
    .filter(({ kind, status }) => kind === "score" && status === "completed")
    .flatMap(({ stdout }) => scoreIn(stdout) ?? [])
  const measured = evaluations.filter(({ kind }) => kind === "score").length
  const score = scores.length === measured ? median(scores) : null
  if (tampered !== null) return { verdict: "tampered", score }
  const conditions = evaluations.filter(({ kind }) => kind !== "score")
  if (conditions.some(saysNo)) return { verdict: "fail", score: null }
  if (conditions.some(({ status }) => status !== "completed")) return { verdict: "error", score: null }
  return measured > 0 && score === null ? { verdict: "error", score: null } : { verdict: "pass", score }
}
