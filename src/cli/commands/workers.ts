/** `beat workers`: the processes that serve the queue, and what each runs. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { shortSpan } from "../../programs/text/Age.ts"
import { WorkersReport, workers as workersOf } from "../../programs/workers.ts"
import { lookingCommand } from "../Command.ts"
import { ExitCode } from "../ExitCode.ts"
import { printJson } from "../Json.ts"
import { table } from "../output/Layout.ts"
import { plain } from "../output/TaskTable.ts"
import { stylesOf } from "../Style.ts"
import { type Screen, Terminal } from "../Terminal.ts"
import { json } from "../Values.ts"

const runtimeLines = (report: WorkersReport, now: number, screen: Screen) => {
  const { bold, dim, green, red } = stylesOf(screen)
  return table(
    [
      { title: "RUNTIME" },
      { title: "KIND", dropAt: 1 },
      { title: "STATE" },
      { title: "PID", align: "right" },
      { title: "UP", align: "right", dropAt: 2 },
      { title: "TASKS", align: "right", dropAt: 3 },
      { title: "VERSION", dropAt: 0 }
    ],
    report.runtimes.map((runtime) => [
      { text: runtime.id, style: bold },
      { text: runtime.kind },
      { text: runtime.alive ? "alive" : "dead", style: runtime.alive ? green : red },
      { text: String(runtime.process.pid) },
      { text: shortSpan(now - runtime.startedAt) },
      { text: String(report.workers.filter(({ runtimeId }) => runtimeId === runtime.id).length) },
      { text: plain(runtime.version) }
    ]),
    screen.columns,
    dim
  )
}

const workerState = (worker: WorkersReport["workers"][number]): string => {
  if (worker.stopCause !== null) return `ending: ${worker.stopCause}`
  if (worker.orphaned) return "orphaned"
  return worker.alive === false ? "ended" : worker.state
}

const workerLines = (report: WorkersReport, now: number, screen: Screen) => {
  const { bold, dim } = stylesOf(screen)
  return table(
    [
      { title: "TASK" },
      { title: "STATE" },
      { title: "PID", align: "right" },
      { title: "AGE", align: "right", dropAt: 2 },
      { title: "RUNTIME", dropAt: 0 },
      { title: "AGENT", dropAt: 1, shrinkTo: 6 },
      { title: "TITLE", shrinkTo: 8 }
    ],
    report.workers.map((worker) => [
      { text: worker.taskId, style: bold },
      { text: workerState(worker) },
      { text: worker.process === null ? "" : String(worker.process.pid) },
      { text: shortSpan(now - worker.claimedAt) },
      { text: worker.runtimeId, style: dim },
      { text: plain(worker.agent) },
      { text: plain(worker.title) }
    ]),
    screen.columns,
    dim
  )
}

export const workers = lookingCommand({
  name: "workers",
  section: "watch",
  summary: "Show the worker processes and what they run",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.workers")(function* (given) {
    const terminal = yield* Terminal
    const report = yield* workersOf()
    if (given.json) {
      yield* printJson(WorkersReport, report)
      return ExitCode.ok
    }
    const now = yield* Clock.currentTimeMillis
    if (report.runtimes.length === 0 && report.workers.length === 0) {
      yield* terminal.say("No worker runs. 'beat run' starts one when it is needed.")
      return ExitCode.ok
    }
    const screen = terminal.stdout
    const parts = [
      ...(report.runtimes.length === 0 ? [] : runtimeLines(report, now, screen)),
      "",
      ...(report.workers.length === 0 ? ["No task runs."] : workerLines(report, now, screen)),
      "",
      `${report.workers.length} of ${report.limit} workers busy`
    ]
    yield* terminal.print(parts.join("\n"))
    return ExitCode.ok
  })
})
