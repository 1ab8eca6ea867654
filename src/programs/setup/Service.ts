/** Keeps a worker running across reboots: installs, removes and checks the operating system's service for it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { Paths } from "../../services/Paths.ts"
import { ServiceSystem } from "../../services/ServiceSystem.ts"

/** `after-login`: the worker starts when its user logs in, not with the machine. */
const Survival = Schema.Literal("yes", "after-login", "no")

export const ServiceReport = Schema.Struct({
  system: Schema.NullOr(Schema.Literal("systemd", "launchd")),
  file: Schema.String,
  installed: Schema.Boolean,
  /** The file says what this version would write for this home. */
  current: Schema.Boolean,
  running: Schema.Boolean,
  /** Whether schedules continue after a reboot. */
  survives: Survival,
  detail: Schema.String,
  /** What to do; null where all is well. */
  advice: Schema.NullOr(Schema.String)
}).annotations({ identifier: "ServiceReport" })
export type ServiceReport = typeof ServiceReport.Type

// A file apart: only `beat service` and `beat doctor` need it.
const files = Effect.promise(() => import("./ServiceFile.ts"))

const planned = Effect.gen(function* () {
  const { label, launchdList, systemdUnit, unitName } = yield* files
  const system = yield* ServiceSystem
  const { logs } = yield* Paths
  const { command, environment } = system
  const text = (system.kind === "launchd" ? launchdList : systemdUnit)({
    command,
    environment,
    log: `${logs}/worker.log`
  })
  return { system, text, label, unitName }
})

const install = "'beat service install' keeps a worker running"

/** Looks only at the file and asks the service manager; nothing is changed. */
export const serviceStatus = Effect.fn("service.status")(function* () {
  const { label, system, text, unitName } = yield* planned
  const { file, kind, run, uid, user } = system
  const found = kind === null ? null : yield* system.read(file)
  const installed = found !== null
  const current = found === text
  const base = { system: kind, file, installed, current }
  const report = (fields: Pick<ServiceReport, "running" | "survives" | "detail" | "advice">): ServiceReport => ({
    ...base,
    ...fields
  })
  if (kind === null) {
    return report({
      running: false,
      survives: "no",
      detail: "this system has neither systemd nor launchd",
      advice: "start 'beat worker --keep' in another way"
    })
  }
  if (!installed) {
    return report({ running: false, survives: "no", detail: "no service is installed", advice: install })
  }
  const outdated = current
    ? null
    : "it was written by another version or for another BACKBEAT_HOME: 'beat service install' again"
  if (kind === "launchd") {
    const loaded = (yield* run("launchctl", ["print", `gui/${uid}/${label}`])).code === 0
    return report({
      running: loaded,
      survives: loaded && current ? "after-login" : "no",
      detail: loaded ? "launchd keeps a worker running, from your login on" : "installed, but launchd does not know it",
      advice: outdated ?? (loaded ? null : "'beat service install' again")
    })
  }
  const enabled = (yield* run("systemctl", ["--user", "is-enabled", unitName])).code === 0
  const running = (yield* run("systemctl", ["--user", "is-active", unitName])).code === 0
  const linger = /Linger=yes/.test((yield* run("loginctl", ["show-user", user, "--property=Linger"])).output)
  const survives = !enabled || !current ? "no" : linger ? "yes" : "after-login"
  return report({
    running,
    survives,
    detail: enabled
      ? `systemd keeps a worker running, from ${linger ? "the start of the machine" : "your login"} on${running ? "" : "; it does not run now"}`
      : "installed, but not enabled",
    advice:
      outdated ??
      (enabled ? null : "'beat service install' again") ??
      (linger ? null : `to have it start with the machine: loginctl enable-linger ${user}`)
  })
})

/** Runs commands one after the other until one fails. */
const inTurn = Effect.fn("service.inTurn")(function* (commands: ReadonlyArray<ReadonlyArray<string>>) {
  const { run } = yield* ServiceSystem
  for (const [program = "", ...args] of commands) {
    const { code, output } = yield* run(program, args)
    if (code !== 0) {
      return yield* new InvalidInput({
        field: [program, ...args].join(" "),
        problem: code === null ? "the program is not there, or does not answer" : output || `exit code ${code}`,
        example: null
      })
    }
  }
})

const unsupported = new InvalidInput({
  field: "service",
  problem: "this system has neither systemd nor launchd; start 'beat worker --keep' in another way",
  example: null
})

/** What `install` would write, and where. */
export const servicePlan = Effect.map(planned, ({ system, text }) => ({ kind: system.kind, file: system.file, text }))

/** Has the system read the file that was written, and start the worker now and from now on. */
const activate = Effect.fn("service.activate")(function* (before: string | null) {
  const { label, system, text, unitName } = yield* planned
  const { file, kind, run, uid } = system
  if (kind === "launchd") {
    yield* inTurn([["plutil", "-lint", file]])
    // One that is loaded is not read again.
    if (before !== null) yield* run("launchctl", ["bootout", `gui/${uid}/${label}`])
    yield* inTurn([["launchctl", "bootstrap", `gui/${uid}`, file]])
  } else {
    const start = before === null || before === text ? "start" : "restart"
    yield* inTurn([
      ["systemctl", "--user", "daemon-reload"],
      ["systemctl", "--user", "enable", unitName],
      ["systemctl", "--user", start, unitName]
    ])
  }
})

/** As it was before an installation that failed: a file that no system uses would be reported by every later command. */
const restore = Effect.fn("service.restore")(function* (before: string | null) {
  const { system, unitName } = yield* planned
  const { file, kind, remove, run, write } = system
  if (before !== null) yield* write(file, before)
  else {
    if (kind === "systemd") yield* run("systemctl", ["--user", "disable", unitName])
    yield* remove(file)
  }
  if (kind === "systemd") yield* run("systemctl", ["--user", "daemon-reload"])
})

/** Writes the file and starts the service. Running it again does no harm; where it fails, nothing has changed. */
export const installService = Effect.fn("service.install")(function* () {
  const { system, text } = yield* planned
  const { file, kind } = system
  if (kind === null) return yield* unsupported
  const before = yield* system.read(file)
  yield* system.write(file, text)
  yield* Effect.tapErrorCause(activate(before), () => Effect.ignore(restore(before)))
  return yield* serviceStatus()
})

/** Ends the worker of the service, not its agents, and removes the file. */
export const uninstallService = Effect.fn("service.uninstall")(function* () {
  const { label, system, unitName } = yield* planned
  const { file, kind, run, uid } = system
  if (kind === null) return yield* unsupported
  const there = (yield* system.read(file)) !== null
  if (there) {
    if (kind === "launchd") yield* run("launchctl", ["bootout", `gui/${uid}/${label}`])
    else yield* run("systemctl", ["--user", "disable", "--now", unitName])
    yield* system.remove(file)
    if (kind === "systemd") yield* run("systemctl", ["--user", "daemon-reload"])
  }
  return { removed: there, report: yield* serviceStatus() }
})
