/** Loops and their rounds as tables, with the scores as a sparkline. */

import type { Goal } from "../../domain/goal/Goal.ts"
import type { Loop, LoopRound, LoopStatus, LoopSummary } from "../../domain/loop/Loop.ts"
import { isOpen, unpricedShare } from "../../domain/loop/Loop.ts"
import { isReached } from "../../domain/loop/LoopDecision.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { dollars } from "../../domain/usage/dollars.ts"
import { moment, relative, shortSpan } from "../../text/FormatDuration.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { type Style, stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"
import { pairs } from "./pairs.ts"
import { plain } from "./TaskTable.ts"

const reached: ReadonlySet<LoopStatus> = new Set(["passed", "target"])

const loopStyle = (status: LoopStatus, screen: Screen): Style => {
  const { dim, green, red, yellow } = stylesOf(screen)
  if (reached.has(status)) return green
  if (status === "running") return yellow
  return status === "failed" ? red : dim
}

/** `pausing` and `ending`: the round that runs is the last one for now. */
const statusText = ({ cancelRequestedAt, pauseRequestedAt, status }: LoopSummary): string => {
  if (status !== "running") return status
  return cancelRequestedAt !== null ? "ending" : pauseRequestedAt !== null ? "pausing" : status
}

const number = (value: number): string => String(Number(value.toPrecision(6)))

const bestText = ({ bestRound, bestScore }: LoopSummary): string =>
  bestRound === null ? "-" : bestScore === null ? `round ${bestRound}` : `${number(bestScore)} (round ${bestRound})`

const listColumns: ReadonlyArray<Column> = [
  { title: "ID" },
  { title: "STATUS" },
  { title: "ROUND", align: "right" },
  { title: "BEST", dropAt: 2 },
  { title: "AGE", align: "right", dropAt: 1 },
  { title: "COST", align: "right", dropAt: 0 },
  { title: "PROMPT", shrinkTo: 8 }
]

export const loopTable = (loops: ReadonlyArray<LoopSummary>, now: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  return table(
    listColumns,
    loops.map((loop) => [
      { text: loop.id, style: bold },
      { text: statusText(loop), style: loopStyle(loop.status, screen) },
      { text: `${loop.round}/${loop.maxRounds}` },
      { text: bestText(loop) },
      { text: shortSpan(now - loop.createdAt), style: dim },
      { text: loop.spentUsd === 0 ? "-" : dollars(loop.spentUsd) },
      { text: plain(loop.title) }
    ]),
    screen.columns,
    dim
  )
}

const bars = "▁▂▃▄▅▆▇█"

/** One character for each score, the newest `width` of them; a dot where nothing was measured. */
const sparkline = (scores: ReadonlyArray<number | null>, width: number): string => {
  const shown = scores.slice(-width)
  const measured = shown.flatMap((score) => score ?? [])
  const low = Math.min(...measured)
  const range = Math.max(...measured) - low
  return shown
    .map((score) => {
      if (score === null) return "."
      const level = range === 0 ? 0 : Math.round(((score - low) / range) * (bars.length - 1))
      return bars.charAt(level)
    })
    .join("")
}

const roundColumns: ReadonlyArray<Column> = [
  { title: "#", align: "right" },
  { title: "VERDICT" },
  { title: "SCORE", align: "right" },
  { title: "KEPT" },
  { title: "CHANGED", align: "right", dropAt: 2 },
  { title: "TOOK", align: "right", dropAt: 1 },
  { title: "TASK", dropAt: 0 },
  { title: "NOTE", shrinkTo: 8 }
]

const noteOf = (round: LoopRound, work: Loop["work"]): string => {
  const { evaluationTasks, tampered, verdict, workError, workTask, workTasks } = round
  if (verdict === null && work.length > 1) return work[workTasks.indexOf(workTask)]?.name ?? ""
  if (tampered !== null) return `changed ${plain(tampered)}`
  if (workError !== null) return plain(workError.split("\n")[0] ?? "")
  const evaluation = evaluationTasks.at(-1)
  return verdict !== "error" || evaluation === undefined ? "" : `its evaluation failed: beat status ${evaluation}`
}

/** Rounds in a table: the newest ones, as most of a long loop is history. */
const shownRounds = 50

const roundTable = ({ rounds, work }: Loop, now: number, screen: Screen): ReadonlyArray<string> => {
  const { dim, green, red, yellow } = stylesOf(screen)
  const styles = { pass: green, fail: yellow, error: red, tampered: red }
  const left = rounds.length - shownRounds
  return [
    ...table(
      roundColumns,
      rounds
        .slice(-shownRounds)
        .reverse()
        .map((round) => [
          { text: String(round.round) },
          {
            text: round.verdict ?? "running",
            style: round.verdict === null ? yellow : styles[round.verdict]
          },
          { text: round.score === null ? "-" : number(round.score) },
          { text: round.verdict === null ? "" : round.kept ? "yes" : "no" },
          { text: round.files === null ? "" : round.files === 1 ? "1 file" : `${round.files} files` },
          { text: shortSpan(Math.max(0, (round.endedAt ?? now) - round.startedAt)) },
          { text: round.workTask },
          { text: noteOf(round, work), style: dim }
        ]),
      screen.columns,
      dim
    ),
    ...(left > 0 ? [dim(`${left} older ${left === 1 ? "round" : "rounds"}: beat loop status --json`)] : [])
  ]
}

const aim = ({ better, judge, minDelta, samples, score, target, until }: Loop["rules"]): ReadonlyArray<string> => [
  ...(until === null ? [] : [`until: ${until}`]),
  ...(judge === null ? [] : [`judge: ${judge}`]),
  ...(score === null
    ? []
    : [
        `score: ${score} (${better} is better${target === null ? "" : `, target ${number(target)}`}${samples === 1 ? "" : `, median of ${samples}`}${minDelta === 0 ? "" : `, by more than ${number(minDelta)}`})`
      ])
]

const boundsOf = ({ maxDepth, maxRunning, maxTasks, maxWakes, stop, tasks, wakes }: Goal): string =>
  `${tasks} of ${maxTasks} delegated, ${maxRunning} at the same time, ${maxDepth === 1 ? "1 level" : `${maxDepth} levels`}; ${wakes} of ${maxWakes} wakes${stop === null ? "" : `; ended by its ${stop}`}`

/** A goal or loop with a budget says what a run counts whose cost is not known. */
const costOf = (loop: Loop): string | null => {
  const { budgetUsd } = loop.rules
  if (loop.spentUsd === 0 && budgetUsd === null && loop.unpriced === 0) return null
  const spent = `${dollars(loop.spentUsd)}${budgetUsd === null ? "" : ` of ${dollars(budgetUsd)}`}`
  if (loop.unpriced === 0) return spent
  const runs = loop.unpriced === 1 ? "1 run" : `${loop.unpriced} runs`
  return budgetUsd === null
    ? `${spent}, and ${runs} without a price`
    : `${spent}; ${runs} without a price, each counted as ${dollars(unpricedShare(budgetUsd, loop))}. To set a price: beat config set prices.MODEL`
}

/** All of one loop. */
export const describeLoop = (loop: Loop, now: number, screen: Screen): ReadonlyArray<string> => {
  const at = (time: number | null) => (time === null ? null : `${moment(time)} (${relative(time, now)})`)
  const { rules, work } = loop
  const width = Math.max(10, Math.min(60, (screen.columns ?? 80) - 20))
  return [
    ...pairs(
      [
        [loop.goal === null ? "loop" : "goal", loop.id],
        ["prompt", plain(loop.title)],
        ["status", loopStyle(loop.status, screen)(statusText(loop))],
        ["round", `${loop.round} of ${loop.maxRounds}`],
        ["steps", work.length === 1 ? null : work.map(({ agent, name }) => `${name} (${agent})`).join(", ")],
        ["evaluation", aim(rules).map(plain).join("\n")],
        ["best", loop.bestRound === null ? null : bestText(loop)],
        [
          "scores",
          rules.score === null
            ? null
            : sparkline(
                loop.rounds.flatMap(({ score, verdict }) => (verdict === null ? [] : [score])),
                width
              )
        ],
        ["cost", costOf(loop)],
        ["tasks", loop.goal === null ? null : boundsOf(loop.goal)],
        ["begun by", loop.stepTask === null ? null : `task ${loop.stepTask}`],
        ["deadline", at(rules.deadline)],
        ["protected", rules.protect.length === 0 ? null : rules.protect.map(plain).join(", ")],
        ["created", at(loop.createdAt)],
        ["ended", at(loop.endedAt)]
      ],
      screen
    ),
    "",
    ...roundTable(loop, now, screen)
  ]
}

const words: Readonly<Record<LoopStatus, string>> = {
  running: "running",
  paused: "paused",
  passed: "passed",
  target: "reached its target",
  stale: "stopped: nothing changes any more",
  exhausted: "used up its rounds",
  budget: "spent its budget",
  deadline: "reached its deadline",
  cancelled: "cancelled",
  failed: "failed: its agent failed three times in a row"
}

/** A loop that reached its aim, or kept something on the way to a better score, has succeeded. */
export const exitCodeOfLoop = ({ bestScore, rules, status }: Loop): ExitCode => {
  if (status === "cancelled") return ExitCode.cancelled
  return isReached(status, rules, bestScore) ? ExitCode.ok : ExitCode.failed
}

/** The tasks of its newest round: only those can run. */
export const newestTasks = ({ rounds }: Loop): ReadonlyArray<TaskId> => {
  const newest = rounds.at(-1)
  return newest === undefined ? [] : [...newest.workTasks, ...newest.evaluationTasks]
}

/** `passed in round 3`, `used up its rounds; best 31.4 (round 5)`. */
export const loopEnding = (loop: LoopSummary, screen: Screen): string => {
  const said = loopStyle(loop.status, screen)(words[loop.status])
  if (loop.status === "passed" || loop.status === "target") return `${said} in round ${loop.round}`
  return isOpen(loop.status) || loop.bestScore === null ? said : `${said}; best ${bestText(loop)}`
}
