/** `beat service`: a worker that the operating system keeps running, so that schedules survive a reboot. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import {
  installService,
  ServiceReport,
  servicePlan,
  serviceStatus,
  uninstallService
} from "../../../programs/setup/Service.ts"
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
  forPersons: "change the service",
  section: "machine",
  summary: "Keep a worker running, even after a reboot",
  details:
    "Installs a user service of systemd on Linux or launchd on macOS, without root. The service stores the current BACKBEAT_HOME and path of this program: run the command again when they change. Agents keep running when the service stops.",
  examples: [["beat service install --dry-run", "only show the service file"]],
  options: Options.all({
    dryRun: Options.boolean("dry-run").pipe(Options.withDescription("Print the service file without installing it")),
    json
  }),
  args: Args.none,
  completes: "none",
  run: Effect.fn("beat.service.install")(function* (given) {
    const terminal = yield* Terminal
    if (given.dryRun) {
      const { file, text } = yield* servicePlan
      yield* terminal.say(`Would be written to ${sanitize(file)}:`)
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
  forPersons: "change the service",
  section: "machine",
  summary: "Remove the service",
  details: "Its worker exits, and running agents continue. Other commands start a worker when they need one.",
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
  summary: "Show whether schedules survive a reboot",
  options: Options.all({ json }),
  args: Args.none,
  completes: "none",
  run: Effect.fn("beat.service.status")(function* (given) {
    return yield* describe(yield* serviceStatus(), given.json)
  })
})
