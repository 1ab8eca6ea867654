/** The checks of `beat doctor`, and how their results are shown. */
import * as Effect from "effect/Effect"
import type { Check } from "../../../programs/setup/Check.ts"
import { checkMachine, checkStore, DoctorReport } from "../../../programs/setup/Doctor.ts"
import { requireOutside } from "../../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { type StyleName, stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { pairs } from "../../output/pairs.ts"
import type { ExamineRequest } from "./doctor.ts"

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

export const examine = Effect.fn("beat.doctor")(function* (given: ExamineRequest) {
  const terminal = yield* Terminal
  const { environment } = yield* Caller
  if (given.fix) yield* requireOutside(submitterOf(environment), "repair the installation")
  const stores = yield* Stores
  const machine = yield* checkMachine(environment, given.fix)
  const store = yield* checkStore(given.fix).pipe(
    Effect.provide(given.fix ? stores.write : stores.read),
    Effect.catchTag("StorageError", (error) =>
      Effect.succeed<ReadonlyArray<Check>>([{ name: "database", status: "fail", detail: error.message, advice: null }])
    )
  )
  const checks = [...machine, ...store]
  if (given.json) yield* printJson(DoctorReport, { checks })
  else yield* terminal.print(describe(checks, terminal.stdout).join("\n"))
  return checks.some(({ status }) => status === "fail") ? ExitCode.failed : ExitCode.ok
})
