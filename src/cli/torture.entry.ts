/** The entry of `beat doctor`, a separate bundle: what it looks over, and the harness of the torture run with its checker. */

import { randomInt } from "node:crypto"
import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { WorkerCommand } from "../services/WorkerCommand.ts"
import { lines, TortureReport } from "../torture/Report.ts"
import { torture } from "../torture/torture.ts"
import { doctor, type TortureRequest } from "./commands/setup/doctor.ts"
import { examine } from "./commands/setup/examine.ts"
import { only } from "./framework/CommandTree.ts"
import { ExitCode } from "./framework/ExitCode.ts"
import { printJson } from "./framework/Json.ts"
import { main } from "./framework/main.ts"
import { Terminal } from "./framework/Terminal.ts"
import { UsageError } from "./framework/UsageError.ts"
import { version } from "./framework/version.ts"
import * as Machine from "./Machine.entry.ts"
import * as Process from "./Process.entry.ts"
import * as WorkerCommandEntry from "./WorkerCommand.entry.ts"

const run = (request: TortureRequest) =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const { command } = yield* WorkerCommand
    if (process.platform !== "linux") {
      return yield* new UsageError({
        problem: "The torture run needs Linux: on other systems it cannot identify its own processes",
        hint: "'beat doctor' without --torture works here."
      })
    }
    const seed = request.seed ?? randomInt(2 ** 31 - 1)
    // Printed first, so that a run that is cut short can be repeated too.
    yield* terminal.say(
      `beat: seed ${seed}; to repeat: beat doctor --torture ${request.durationMs / 1000}s --seed ${seed}${request.focus === null ? "" : ` --${request.focus}`}`
    )
    const report = yield* torture({
      durationMs: request.durationMs,
      seed,
      focus: request.focus ?? "everything",
      beat: command,
      onProgress: terminal.progress,
      onViolation: (line) => terminal.say(`beat: seed ${seed}: ${line}`)
    })
    yield* terminal.progress(null)
    if (request.json) yield* printJson(TortureReport, report)
    else yield* terminal.print(lines(report).join("\n"))
    return report.ok && report.proven ? ExitCode.ok : ExitCode.failed
  }).pipe(Effect.provide(WorkerCommandEntry.layer))

const teardown: Teardown = (exit, leave) =>
  leave(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : ExitCode.interrupted)

Effect.suspend(() => main(only(doctor(examine, run)), Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide(Process.layer(version)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
