/** `beat service`: a worker that the system keeps running, so that schedules survive a reboot. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import {
  installService,
  ServiceReport,
  servicePlan,
  serviceStatus,
  uninstallService
} from "../../../programs/setup/service.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { survivalText } from "../../output/ScheduleText.ts"

const describe = Effect.fn("service.describe")(function* (report: ServiceReport, asJson: boolean) {
  const terminal = yield* Terminal
  if (asJson) yield* printJson(ServiceReport, report)
  else yield* terminal.print(sanitize(survivalText(report)))
  return ExitCode.ok
})

export const serviceInstall = command({
  name: "service install",
  section: "machine",
  summary: "Keep a worker running, also after a reboot",
  details:
    "A user service of systemd on Linux, of launchd on macOS; nothing needs root. It gets BACKBEAT_HOME and the path of this program as they are now: run it again when they change. Agents outlive the service.",
  examples: [["beat service install --dry-run", "only show what would be written"]],
  options: Options.all({
    dryRun: Options.boolean("dry-run").pipe(Options.withDescription("Write and start nothing, print the file")),
    json
  }),
  args: Args.none,
  completes: "none",
  run: Effect.fn("beat.service.install")(function* (given) {
    const terminal = yield* Terminal
    if (given.dryRun) {
      const { file, text } = yield* servicePlan
      yield* terminal.say(`This would go into ${sanitize(file)}:`)
      yield* terminal.print(text.trimEnd())
      return ExitCode.ok
    }
    const report = yield* installService()
    yield* terminal.say(`Written: ${sanitize(report.file)}`)
    return yield* describe(report, given.json)
  })
})

export const serviceUninstall = command({
  name: "service uninstall",
  section: "machine",
  summary: "Take the service away again",
  details: "Its worker ends, agents go on. Other commands start workers as they need them.",
  options: Options.all({ json }),
  args: Args.none,
  completes: "none",
  run: Effect.fn("beat.service.uninstall")(function* (given) {
    const terminal = yield* Terminal
    const { removed, report } = yield* uninstallService()
    yield* terminal.say(removed ? `Removed: ${sanitize(report.file)}` : "No service was installed.")
    return yield* describe(report, given.json)
  })
})

export const serviceStatusCommand = command({
  name: "service status",
  section: "machine",
  summary: "Say whether schedules survive a reboot",
  options: Options.all({ json }),
  args: Args.none,
  completes: "none",
  run: Effect.fn("beat.service.status")(function* (given) {
    return yield* describe(yield* serviceStatus(), given.json)
  })
})
