/** How Gemini CLI fails: a report in the stream or on stderr, a stack trace, and its own exit codes. */
import * as Schema from "effect/Schema"
import type { Evidence } from "../../../domain/task/Agent.ts"
import type { FailureClass } from "../../../domain/task/Task.ts"
import { loose, number, reader, text } from "../reading/Printed.ts"
import type { Failed } from "../reading/Verdict.ts"

export const Problem = Schema.Struct({ type: text, message: text, code: number })
type Problem = typeof Problem.Type

/** The report on stderr. */
const readReport = reader(Schema.Struct({ session_id: text, error: loose(Problem) }))

/** The last JSON object whose braces are on separate lines, however it is indented. */
export const report = (stderr: ReadonlyArray<string>) => {
  const end = stderr.lastIndexOf("}")
  for (let start = end - 1; start >= 0 && start > end - 200; start--) {
    const line = stderr[start] ?? ""
    if (line !== "{" && line !== "[ERROR] {") continue
    return readReport(["{", ...stderr.slice(start + 1, end + 1)].join("\n"))
  }
  return null
}

/** What it says on stderr when all is well. */
export const chatter = /^(Warning: (Basic terminal|True color|256-color)|YOLO mode|\[STARTUP\]|Ripgrep is not)/

/** Exit codes with a special meaning. */
const exitClasses: Readonly<Record<number, typeof FailureClass.Type>> = { 41: "auth", 42: "agent", 53: "max-turns" }

/** Its API errors wrap their text, sometimes as JSON in JSON. */
export const spoken = (message: string): string => {
  const unwrapped = message.replace(/^\s*\[API Error:\s*([\s\S]*?)\](?=\n|$)/, "$1")
  const inner = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(unwrapped)?.[1]
  return inner === undefined ? unwrapped : inner.replace(/\\"/g, '"').replace(/\\n/g, " ")
}

const inHttp = (code: number | undefined): number | undefined =>
  code !== undefined && code >= 400 && code < 600 ? code : undefined

const found = (pattern: RegExp, lines: ReadonlyArray<string>): string | undefined =>
  lines.map((line) => pattern.exec(line)?.[1]).findLast((match) => match !== undefined)

/** The HTTP status, whose place changes from version to version. */
const statusOf = (said: Problem, stderr: ReadonlyArray<string>): number | undefined => {
  const digits = /"code":\s*(\d{3})\b/.exec(said.message ?? "")?.[1] ?? found(/^\s+(?:status|code): (\d{3}),?$/, stderr)
  return inHttp(said.code) ?? inHttp(digits === undefined ? undefined : Number(digits))
}

/** What it printed of the last request that failed. */
const lastRequest = (stderr: ReadonlyArray<string>): string =>
  stderr
    .slice(
      Math.max(
        0,
        stderr.findLastIndex((line) => /^(?:Attempt \d+ failed|Error when talking to)/.test(line))
      )
    )
    .join("\n")

export const failureOf = (evidence: Evidence, said: Problem | undefined): Failed | null => {
  const { exitCode } = evidence.end
  const known = exitCode === null ? undefined : exitClasses[exitCode]
  if (said === undefined) {
    // It retries for minutes and says so on stderr only: that is what it was doing when a signal ended it.
    const retry =
      evidence.end.signal === null
        ? undefined
        : found(/^Attempt \d+ failed(?: with status \d+)?(?:\. Retrying[^:]*?\.\.\. ?|: )(.*)$/, evidence.stderr)
    if (retry !== undefined) return { message: retry, details: lastRequest(evidence.stderr) }
    const shown = evidence.stderr.findLast((line) => line.trim().length > 0 && !chatter.test(line))
    return known === undefined ? null : { message: shown ?? `gemini ended with exit code ${exitCode}`, class: known }
  }
  const status = statusOf(said, evidence.stderr)
  const message = spoken(said.message ?? "The agent reported an error.")
  return {
    message,
    details: `${said.message ?? ""}\n${lastRequest(evidence.stderr)}`,
    status,
    codes: [said.type, found(/\b(TerminalQuotaError|RetryableQuotaError|ModelNotFoundError)\b/, evidence.stderr)],
    class: known,
    // HTTP errors leave with their status modulo 256: 401 is 145, which a shell takes for a signal.
    ownExitCode: status !== undefined && exitCode !== null && status % 256 === exitCode
  }
}
