/** `beat doctor`: is everything in order, and can it be mended. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { type Check, checkMachine, checkStore, DoctorReport } from "../../programs/doctor.ts"
import { sanitize } from "../../programs/text/Sanitize.ts"
import { Stores } from "../Access.ts"
import { Caller } from "../Caller.ts"
import { command } from "../Command.ts"
import { ExitCode } from "../ExitCode.ts"
import { printJson } from "../Json.ts"
import { pairs } from "../output/Pairs.ts"
import { type StyleName, stylesOf } from "../Style.ts"
import { type Screen, Terminal } from "../Terminal.ts"
import { json } from "../Values.ts"

const colours: Readonly<Record<Check["status"], StyleName>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
  fixed: "cyan"
}

const describe = (checks: ReadonlyArray<Check>, screen: Screen) => {
  const styles = stylesOf(screen)
  return pairs(
    checks.map((check) => {
      const advice = check.advice === null ? "" : `\n-> ${check.advice}`
      const [first = "", ...more] = sanitize(check.detail + advice).split("\n")
      return [check.name, [`${styles[colours[check.status]](check.status.padEnd(5))} ${first}`, ...more].join("\n")]
    }),
    screen
  )
}

export const doctor = command({
  name: "doctor",
  section: "machine",
  summary: "Check that everything is in order",
  details:
    "--fix mends what is safe to mend: permissions of files, rows of dead runtimes, directories that ended tasks left behind, an outdated database, work that nobody serves. Exit code 1 when something is broken.",
  options: Options.all({
    fix: Options.boolean("fix").pipe(Options.withDescription("Mend what can be mended")),
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.doctor")(function* (given) {
    const terminal = yield* Terminal
    const { environment } = yield* Caller
    const stores = yield* Stores
    const machine = yield* checkMachine(environment, given.fix)
    const store = yield* checkStore(given.fix).pipe(
      Effect.provide(given.fix ? stores.write : stores.read),
      Effect.catchTag("StorageError", (error) =>
        Effect.succeed<ReadonlyArray<Check>>([
          { name: "database", status: "fail", detail: error.message, advice: null }
        ])
      )
    )
    const checks = [...machine, ...store]
    if (given.json) yield* printJson(DoctorReport, { checks })
    else yield* terminal.print(describe(checks, terminal.stdout).join("\n"))
    return checks.some(({ status }) => status === "fail") ? ExitCode.failed : ExitCode.ok
  })
})
