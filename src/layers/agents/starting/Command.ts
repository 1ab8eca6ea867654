/** Agents without a known format: any command, judged by its exit code, whose output is its answer. */
import type { Evidence, Verdict } from "../../../domain/task/Agent.ts"
import type { Adviser } from "../reading/Failure.ts"
import { judge, maxAnswerBytes } from "../reading/Verdict.ts"

/** Lines from one end until there are enough for an answer. */
const take = (lines: ReadonlyArray<string>, from: number, step: 1 | -1): Array<string> => {
  const taken: Array<string> = []
  let size = 0
  for (let at = from; at >= 0 && at < lines.length && size <= maxAnswerBytes; at += step) {
    const line = lines[at] ?? ""
    taken.push(line)
    size += line.length + 1
  }
  return taken
}

/** What it printed; of a lot, both ends. */
const printed = (stdout: ReadonlyArray<string>): string => {
  const head = take(stdout, 0, 1)
  if (head.length === stdout.length) return head.join("\n").trimEnd()
  return [...head, ...take(stdout.slice(head.length), stdout.length - head.length - 1, -1).reverse()]
    .join("\n")
    .trimEnd()
}

/** A command's words are its own: a build that prints "connection refused" is not a failure of a model service. */
export const judgeCommand = (agent: Adviser, evidence: Evidence): Verdict =>
  judge(
    agent,
    evidence,
    {
      failure: null,
      finished: true,
      answer: printed(evidence.stdout),
      sessionId: null,
      usage: null,
      exitClass: "agent"
    },
    evidence.stderr.some((line) => line.trim().length > 0) ? evidence.stderr : evidence.stdout
  )

/** An agent of which only the name is known. */
export const named = (name: string): Adviser => ({ name, login: null, credentialVariables: [] })
