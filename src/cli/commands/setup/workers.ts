/** `beat workers`: the worker processes, and the tasks that each one runs. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isServing } from "../../../domain/worker/Worker.ts"
import { workersReport as reportOf, WorkersReport } from "../../../programs/reports/workers.ts"
import { shortSpan } from "../../../text/FormatDuration.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"

const workerLines = (report: WorkersReport, now: number, screen: Screen) => {
  const { bold, dim, green, red } = stylesOf(screen)
  return table(
    [
      { title: "WORKER" },
      { title: "KIND", dropAt: 1 },
      { title: "STATE" },
      { title: "PID", align: "right" },
      { title: "UP", align: "right", dropAt: 2 },
      { title: "TASKS", align: "right", dropAt: 3 },
      { title: "VERSION", dropAt: 0 }
    ],
    report.workers.map((worker) => [
      { text: worker.id, style: bold },
      { text: worker.kind },
      { text: worker.serving, style: isServing(worker.serving) ? green : red },
      { text: String(worker.process.pid) },
      { text: shortSpan(now - worker.startedAt) },
      { text: String(report.claims.filter(({ workerId }) => workerId === worker.id).length) },
      { text: plain(worker.version) }
    ]),
    screen.columns,
    dim
  )
}

const claimState = (claim: WorkersReport["claims"][number]): string => {
  if (claim.stopCause !== null) return `ending: ${claim.stopCause}`
  if (claim.orphaned) return "orphaned"
  return claim.alive === "dead" ? "ended" : claim.state
}

const claimLines = (report: WorkersReport, now: number, screen: Screen) => {
  const { bold, dim } = stylesOf(screen)
  return table(
    [
      { title: "TASK" },
      { title: "STATE" },
      { title: "PID", align: "right" },
      { title: "AGE", align: "right", dropAt: 2 },
      { title: "WORKER", dropAt: 0 },
      { title: "AGENT", dropAt: 1, shrinkTo: 6 },
      { title: "TITLE", shrinkTo: 8 }
    ],
    report.claims.map((claim) => [
      { text: claim.taskId, style: bold },
      { text: claimState(claim) },
      { text: claim.process === null ? "" : String(claim.process.pid) },
      { text: shortSpan(now - claim.claimedAt) },
      { text: claim.workerId, style: dim },
      { text: plain(claim.agent) },
      { text: plain(claim.title) }
    ]),
    screen.columns,
    dim
  )
}

export const workers = bareCommand({
  name: "workers",
  section: "watch",
  summary: "Show the worker processes and their tasks",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.workers")(function* (given) {
    const terminal = yield* Terminal
    const report = yield* reportOf()
    if (given.json) {
      yield* printJson(WorkersReport, report)
      return ExitCode.ok
    }
    const now = yield* Clock.currentTimeMillis
    if (report.workers.length === 0 && report.claims.length === 0) {
      yield* terminal.say("No worker is running. 'beat run' starts one when needed.")
      return ExitCode.ok
    }
    const screen = terminal.stdout
    const parts = [
      ...(report.workers.length === 0 ? [] : workerLines(report, now, screen)),
      "",
      ...(report.claims.length === 0 ? ["No task is running."] : claimLines(report, now, screen)),
      "",
      `${report.claims.length} of ${report.limit} workers busy`
    ]
    yield* terminal.print(parts.join("\n"))
    return ExitCode.ok
  })
})
