/** A contest as a table of its candidates, and its end in words and as an exit code. */

import type { Candidate, Contest, ContestStatus } from "../../domain/contest/Contest.ts"
import { dollars } from "../../domain/usage/dollars.ts"
import { moment, relative, shortSpan } from "../../text/FormatDuration.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { type Style, stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"
import { pairs } from "./pairs.ts"
import { plain } from "./TaskTable.ts"

const styleOf = (status: ContestStatus, screen: Screen): Style => {
  const { dim, green, red, yellow } = stylesOf(screen)
  return { running: yellow, passed: green, failed: red, cancelled: dim }[status]
}

const columns: ReadonlyArray<Column> = [
  { title: "#", align: "right" },
  { title: "AGENT" },
  { title: "TASK" },
  { title: "PASS" },
  { title: "SCORE", align: "right" },
  { title: "COST", align: "right", dropAt: 0 },
  { title: "TIME", align: "right", dropAt: 1 },
  { title: "DIFF", dropAt: 2 },
  { title: "NOTE", shrinkTo: 8 }
]

const passed = ({ status, verdict }: Candidate): string => {
  switch (verdict) {
    case "pass":
      return "yes"
    case "fail":
      return "no"
    case null:
      return status === "completed" ? "checking" : status
    default:
      return verdict
  }
}

const noteOf = (candidate: Candidate, winner: number | null): string => {
  if (candidate.number === winner) return "<- kept"
  if (candidate.tampered !== null) return `changed ${plain(candidate.tampered)}`
  if (candidate.verdict === "pass" && candidate.commit === null) return "its work could not be sealed"
  return candidate.failedTask === null ? "" : `beat logs ${candidate.failedTask}`
}

const number = (value: number): string => String(Number(value.toPrecision(6)))

const diffOf = ({ deletions, files, insertions }: Candidate): string =>
  files === null ? "-" : files === 0 ? "none" : `+${insertions ?? 0} -${deletions ?? 0}`

const timeOf = ({ endedAt, startedAt }: Candidate, now: number): string =>
  startedAt === null ? "-" : shortSpan(Math.max(0, (endedAt ?? now) - startedAt))

const candidateTable = ({ candidates, winner }: Contest, now: number, screen: Screen): ReadonlyArray<string> => {
  const { dim, green, red, yellow } = stylesOf(screen)
  const styles = { pass: green, fail: red, error: red, tampered: red }
  return table(
    columns,
    candidates.map((candidate) => {
      const { agent, costUsd, model, score, verdict, workTask } = candidate
      return [
        { text: `#${candidate.number}` },
        { text: plain(model === null ? agent : `${agent} ${model}`) },
        { text: workTask },
        { text: passed(candidate), style: verdict === null ? yellow : styles[verdict] },
        { text: score === null ? "-" : number(score) },
        { text: costUsd === null ? "-" : dollars(costUsd) },
        { text: timeOf(candidate, now) },
        { text: diffOf(candidate) },
        { text: noteOf(candidate, winner), style: candidate.number === winner ? green : dim }
      ]
    }),
    screen.columns,
    dim
  )
}

/** All of one contest. */
export const describeContest = (contest: Contest, now: number, screen: Screen): ReadonlyArray<string> => {
  const at = (time: number | null) => (time === null ? null : `${moment(time)} (${relative(time, now)})`)
  const { better, check, protect, score } = contest.rules
  const ending = contest.status === "running" && contest.cancelRequestedAt !== null ? "ending" : contest.status
  return [
    ...pairs(
      [
        ["contest", contest.id],
        ["prompt", plain(contest.title)],
        ["status", styleOf(contest.status, screen)(ending)],
        ["check", check === null ? null : plain(check)],
        ["score", score === null ? null : plain(`${score} (${better} is better)`)],
        [
          "protected",
          protect.length === 0 ? null : protect.map((path) => plain(path.replace(/^:\(literal\)/, ""))).join(", ")
        ],
        ["created", at(contest.createdAt)],
        ["ended", at(contest.endedAt)]
      ],
      screen
    ),
    "",
    ...candidateTable(contest, now, screen)
  ]
}

export const exitCodeOfContest = ({ status }: Contest): ExitCode =>
  status === "passed" ? ExitCode.ok : status === "cancelled" ? ExitCode.cancelled : ExitCode.failed

/** `passed: #2 of 3 is kept`. */
export const contestEnding = ({ candidates, status, winner }: Contest, screen: Screen): string => {
  const said = styleOf(status, screen)(status)
  if (status === "passed") return `${said}: #${winner} of ${candidates.length} is kept`
  return status === "failed" ? `${said}: none of ${candidates.length} passed` : said
}
