/** Bare `beat`: what runs now, what waits, what ended last. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Overview, overview } from "../../../programs/reports/summary.ts"
import { relative, shortSpan, span } from "../../../text/FormatDuration.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { cut } from "../../output/Layout.ts"
import { plain, statusStyle } from "../../output/TaskTable.ts"

/** Silence worth a word. */
const quietMs = 60_000

const lines = (view: Overview, now: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim, yellow } = stylesOf(screen)
  const fitted = (text: string) => (screen.columns === null ? text : cut(text, screen.columns))
  const entry = (task: Overview["ended"][number], words: string) => {
    const head = `  ${task.id}  `
    const room = screen.columns === null ? null : screen.columns - head.length - words.length - 2
    const title = plain(task.title)
    return `  ${bold(task.id)}  ${statusStyle(task.status, screen)(words)}  ${room === null ? title : cut(title, room)}`.trimEnd()
  }
  const section = (title: string, entries: ReadonlyArray<string>) =>
    entries.length === 0 ? [] : ["", bold(title), ...entries]

  const { counts } = view
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (total === 0) {
    return [
      "No tasks yet.",
      "",
      `  ${bold('beat run "fix the failing test"')}    hand over a task`,
      `  ${bold("beat run -a shell 'npm test'")}       run a shell command`,
      `  ${bold("beat agents")}                        see which agents are installed`,
      `  ${bold("beat help")}                          all commands`
    ].map(fitted)
  }
  const live = view.workers.filter(({ alive }) => alive)
  const words = (["running", "queued", "completed", "failed", "cancelled"] as const)
    .filter((status) => counts[status] > 0 || status === "running")
    .map((status) => statusStyle(status, screen)(`${counts[status]} ${status}`))
  const served = live.length === 0 ? "no worker" : `${live.length} worker process${live.length === 1 ? "" : "es"}`
  const waiting = counts.queued > 0 && live.length === 0
  const widest = Math.max(0, ...view.ended.map(({ status }) => status.length))
  return [
    `${words.join(", ")}; ${waiting ? yellow(served) : dim(served)}`,
    ...section(
      "Running",
      view.running.map((task) => {
        const quiet = task.silentMs !== null && task.silentMs >= quietMs ? `, silent ${shortSpan(task.silentMs)}` : ""
        const ending = task.cancelRequestedAt === null ? "" : ", ending"
        return entry(task, `${shortSpan(now - (task.startedAt ?? now))}${quiet}${ending}`)
      })
    ),
    ...section(
      "Waiting",
      view.queued.map((task) =>
        entry(
          task,
          task.notBefore !== null && task.notBefore > now
            ? `starts ${relative(task.notBefore, now)}`
            : `${task.priority} ${shortSpan(now - task.createdAt)}`
        )
      )
    ),
    ...section(
      "Ended last",
      view.ended.map((task) => entry(task, `${task.status.padEnd(widest)}  ${relative(task.endedAt ?? now, now)}`))
    ),
    ...(waiting && view.nextDue === null
      ? ["", yellow("Tasks wait and no worker runs. Start one: beat worker --detach")]
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
  return ExitCode.ok
})

export const bare = bareCommand({
  name: "",
  section: "hidden",
  summary: "Show what runs now, what waits and what ended last",
  options: Options.all({ json }),
  args: Args.none,
  run: (options) => showOverview(options.json)
})
