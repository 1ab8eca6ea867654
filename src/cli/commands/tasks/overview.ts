/** Bare `beat`: running, waiting and recently ended tasks. */

import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { pausesOf } from "../../../domain/gates/loopHolding.ts"
import { fingerprintOf } from "../../../domain/limits/Account.ts"
import type { AccountLimits } from "../../../domain/limits/AccountLimits.ts"
import { windowWords } from "../../../domain/limits/Window.ts"
import { questionName } from "../../../domain/questions/Question.ts"
import { isAsking } from "../../../domain/task/isAsking.ts"
import { isServing } from "../../../domain/worker/Worker.ts"
import { holdWords } from "../../../programs/budgets/holdWords.ts"
import { gateWords } from "../../../programs/gates/gateWords.ts"
import { Overview, overview } from "../../../programs/reports/overview.ts"
import { moment, relative, shortSpan, span } from "../../../text/FormatDuration.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { runningIn, tellNeglect } from "../../output/Attention.ts"
import { type Column, cut, table, widthOf } from "../../output/Layout.ts"
import { waitingWords } from "../../output/LimitText.ts"
import { questionWords } from "../../output/QuestionText.ts"
import { plain, remark, statusStyle, statusWord } from "../../output/TaskTable.ts"

/** How long an agent is silent before the overview mentions it. */
const quietMs = 60_000

/** Questions in the overview. */
const mostQuestions = 3

const answering = (count: number): string =>
  count > mostQuestions
    ? `${count - mostQuestions} more: beat inbox. To answer: beat answer Q TEXT`
    : "To answer: beat answer Q TEXT"

const columns: ReadonlyArray<Column> = [
  { title: "" },
  { title: "", shrinkTo: 14 },
  { title: "", dropAt: 2, shrinkTo: 6 },
  { title: "", dropAt: 1, shrinkTo: 10 },
  { title: "", dropAt: 0 },
  { title: "", shrinkTo: 8 }
]

/** The last two parts of the path, which are enough to recognize a project. */
const shortPath = (path: string): string => {
  const parts = path.split("/").filter((part) => part !== "")
  return parts.length <= 2 ? path : `…/${parts.slice(-2).join("/")}`
}

/** `claude a4tz9kq2mv: 5-hour limit, opens 2027-03-01 02:31:45 (in 1h 20m); 41 tasks wait` */
const closedWords = ({ account, agent, opensAt, spare, waiting, window }: AccountLimits, now: number) => {
  const line = (name: string, at: number, count: number, kind?: string) =>
    `${plain(agent)} ${fingerprintOf(account)}: ${windowWords({ name, family: "" })}, opens ${moment(at)} (${relative(at, now)}); ${waitingWords(count, kind)}`
  return [
    ...(opensAt === null ? [] : [line(window ?? "", opensAt, waiting)]),
    ...(spare === null ? [] : [line(spare.window, spare.opensAt, spare.waiting, "spare ")])
  ]
}

interface Section {
  readonly title: string
  readonly tasks: Overview["ended"]
  readonly words: (task: Overview["ended"][number]) => string
}

/** One table with all of them, so that their columns line up. */
const sectionLines = (sections: ReadonlyArray<Section>, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  const cells = sections.flatMap(({ tasks, words }) =>
    tasks.map((task) => [
      { text: task.id, style: bold },
      { text: words(task), style: statusStyle(task.status, screen) },
      { text: plain(task.agent) },
      { text: shortPath(plain(task.directory)), style: dim },
      { text: task.pipelineId === null ? "" : `pipeline ${task.pipelineId}`, style: dim },
      { text: plain(task.title) }
    ])
  )
  const used = columns.map((_, at) => cells.some((row) => row[at]?.text !== ""))
  const kept = <A>(row: ReadonlyArray<A>): ReadonlyArray<A> => row.filter((_, at) => used[at] === true)
  const room = screen.columns === null ? null : screen.columns - 2
  const [, ...rows] = table(kept(columns), cells.map(kept), room, dim)
  let at = 0
  return sections.flatMap(({ tasks, title }) => {
    if (tasks.length === 0) return []
    const own = rows.slice(at, at + tasks.length)
    at += tasks.length
    return ["", bold(title), ...own.map((row) => `  ${row}`)]
  })
}

/** The counts and the workers, in as many lines as they need. */
const joined = (words: ReadonlyArray<string>, last: string, columns: number | null): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const [at, word] of [...words, last].entries()) {
    const text = at === words.length ? word : `${word}${at === words.length - 1 ? ";" : ","}`
    if (line === "") line = text
    else if (columns === null || widthOf(line) + 1 + widthOf(text) <= columns) line += ` ${text}`
    else {
      lines.push(line)
      line = text
    }
  }
  return [...lines, line]
}

/** What bare `beat` shows. */
export const overviewLines = (view: Overview, now: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim, yellow } = stylesOf(screen)
  const fitted = (text: string) => (screen.columns === null ? text : cut(text, screen.columns))

  const { counts } = view
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (total === 0) {
    return [
      "No tasks yet.",
      "",
      `  ${bold('beat run "fix the failing test"')}    submit a task`,
      `  ${bold("beat run -a shell 'npm test'")}       run a shell command`,
      `  ${bold("beat agents")}                        see which agents are installed`,
      `  ${bold("beat help")}                          all commands`
    ].map(fitted)
  }
  const live = view.workers.filter(({ serving }) => isServing(serving))
  const words = (["running", "queued", "completed", "failed", "cancelled"] as const)
    .filter((status) => counts[status] > 0 || status === "running")
    .map((status) => statusStyle(status, screen)(`${counts[status]} ${status}`))
  const served = live.length === 0 ? "no worker" : `${live.length} worker process${live.length === 1 ? "" : "es"}`
  const waiting = counts.queued > 0 && !view.awaitsAnswers && live.length === 0
  const asking = new Set(view.questions.map(({ id, taskId }) => taskId ?? id)).size
  const asks = asking === 0 ? [] : [yellow(`${asking} asks`)]
  const pauses = pausesOf(view.gates)
  const taskNames = (gates: typeof view.gates) =>
    new Set(gates.flatMap(({ name, scope }) => (scope === "task" ? [name] : [])))
  const [paused, held] = [taskNames(pauses), taskNames(view.gates)]
  const silence = new Map(view.running.map(({ id, silentMs }) => [id, silentMs]))
  return [
    ...joined([...words, ...asks], waiting ? yellow(served) : dim(served), screen.columns),
    ...pauses.map((gate) => yellow(fitted(`paused: ${plain(gateWords(gate, now))}`))),
    ...view.questions
      .slice(0, mostQuestions)
      .map((one) => yellow(fitted(`${questionName(one.id)} asks ${questionWords(one)}`))),
    ...(view.questions.length === 0 ? [] : [dim(fitted(answering(view.questions.length)))]),
    ...view.budgets.map((hold) => yellow(fitted(plain(holdWords(hold, now))))),
    ...view.limits.flatMap((account) => closedWords(account, now)).map((line) => yellow(fitted(line))),
    ...sectionLines(
      [
        {
          title: "Running",
          tasks: view.running,
          words: (task) => {
            const silentMs = silence.get(task.id) ?? 0
            const quiet = silentMs >= quietMs ? `, silent ${shortSpan(silentMs)}` : ""
            const ending = task.cancelRequestedAt === null ? "" : ", ending"
            const state = task.frozenAt !== null ? "frozen, " : isAsking(task) ? "asks, " : ""
            return `${state}${shortSpan(now - (task.startedAt ?? now))}${quiet}${ending}`
          }
        },
        {
          title: "Waiting",
          tasks: view.queued,
          words: (task) => {
            if (paused.has(task.id)) return `paused ${shortSpan(now - task.createdAt)}`
            if (held.has(task.id)) return `loop ${shortSpan(now - task.createdAt)}`
            if (isAsking(task)) return `asks ${shortSpan(now - task.createdAt)}`
            if (task.notBefore !== null && task.notBefore > now) return `starts ${relative(task.notBefore, now)}`
            return `${task.priority} ${remark(task) === "" ? shortSpan(now - task.createdAt) : remark(task)}`
          }
        },
        {
          title: "Ended last",
          tasks: view.ended,
          words: (task) => {
            const why = task.status === "completed" ? "" : remark(task)
            return `${statusWord(task)}${why === "" ? "" : ` (${why})`} ${relative(task.endedAt ?? now, now)}`
          }
        }
      ],
      screen
    ),
    ...(waiting && view.nextDue === null
      ? ["", yellow(fitted("No worker is running. To start one: beat worker --detach"))]
      : []),
    ...(counts.queued > 0 && view.nextDue !== null && waiting
      ? ["", dim(fitted(`The next task is due in ${span(view.nextDue - now)}.`))]
      : [])
  ]
}

/** The same for `beat` and for `beat status` without an id. */
export const showOverview = Effect.fn("beat.overview")(function* (asJson: boolean) {
  const terminal = yield* Terminal
  const view = yield* overview()
  if (asJson) yield* printJson(Overview, view)
  else yield* terminal.print(overviewLines(view, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
  yield* tellNeglect(runningIn(view.running))
  return ExitCode.ok
})

export const bare = bareCommand({
  name: "",
  section: "hidden",
  summary: "Show running, waiting and recently ended tasks",
  options: Options.all({ json }),
  args: Args.none,
  run: (options) => showOverview(options.json)
})
