/** Bare `beat`: running, waiting and recently ended tasks. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isServing } from "../../../domain/worker/Worker.ts"
import { Overview, overview } from "../../../programs/reports/summary.ts"
import { relative, shortSpan, span } from "../../../text/FormatDuration.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { tellNeglect } from "../../output/Attention.ts"
import { type Column, cut, table } from "../../output/Layout.ts"
import { plain, remark, statusStyle, statusWord } from "../../output/TaskTable.ts"

/** How long an agent is silent before the overview mentions it. */
const quietMs = 60_000

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

const lines = (view: Overview, now: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim, yellow } = stylesOf(screen)
  const fitted = (text: string) => (screen.columns === null ? text : cut(text, screen.columns))
  const section = (title: string, tasks: Overview["ended"], words: (task: Overview["ended"][number]) => string) => {
    if (tasks.length === 0) return []
    const room = screen.columns === null ? null : screen.columns - 2
    const [, ...rows] = table(
      columns,
      tasks.map((task) => [
        { text: task.id, style: bold },
        { text: words(task), style: statusStyle(task.status, screen) },
        { text: plain(task.agent) },
        { text: shortPath(plain(task.directory)), style: dim },
        { text: task.pipelineId === null ? "" : `pipeline ${task.pipelineId}`, style: dim },
        { text: plain(task.title) }
      ]),
      room,
      dim
    )
    return ["", bold(title), ...rows.map((row) => `  ${row}`)]
  }

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
  const waiting = counts.queued > 0 && live.length === 0
  const silence = new Map(view.running.map(({ id, silentMs }) => [id, silentMs]))
  return [
    `${words.join(", ")}; ${waiting ? yellow(served) : dim(served)}`,
    ...section("Running", view.running, (task) => {
      const silentMs = silence.get(task.id) ?? 0
      const quiet = silentMs >= quietMs ? `, silent ${shortSpan(silentMs)}` : ""
      const ending = task.cancelRequestedAt === null ? "" : ", ending"
      return `${shortSpan(now - (task.startedAt ?? now))}${quiet}${ending}`
    }),
    ...section("Waiting", view.queued, (task) => {
      if (task.notBefore !== null && task.notBefore > now) return `starts ${relative(task.notBefore, now)}`
      return `${task.priority} ${remark(task) === "" ? shortSpan(now - task.createdAt) : remark(task)}`
    }),
    ...section("Ended last", view.ended, (task) => {
      const why = task.status === "completed" ? "" : remark(task)
      return `${statusWord(task)}${why === "" ? "" : ` (${why})`} ${relative(task.endedAt ?? now, now)}`
    }),
    ...(waiting && view.nextDue === null
      ? ["", yellow("No worker is running. To start one: beat worker --detach")]
      : []),
    ...(counts.queued > 0 && view.nextDue !== null && waiting
      ? ["", dim(`The next task is due in ${span(view.nextDue - now)}.`)]
      : [])
  ]
}

/** The same for `beat` and for `beat status` without an id. */
export const showOverview = Effect.fn("beat.overview")(function* (asJson: boolean) {
  const terminal = yield* Terminal
  const view = yield* overview()
  if (asJson) yield* printJson(Overview, view)
  else yield* terminal.print(lines(view, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
  yield* tellNeglect(view.running)
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
