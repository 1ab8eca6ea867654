/** Checks the installation, part by part, and repairs what can be repaired without risk. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Environment } from "../../domain/task/NewTask.ts"
import { isServing, type Serving } from "../../domain/worker/Worker.ts"
import { Agents } from "../../services/Agents.ts"
import { DatabaseHealth } from "../../services/DatabaseHealth.ts"
import { Installation } from "../../services/Installation.ts"
import { Paths } from "../../services/Paths.ts"
import { Processes } from "../../services/Processes.ts"
import { Schedules } from "../../services/Schedules.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { type WorkerView, workers } from "../reports/workers.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { Check } from "./Check.ts"
import { doctorWork } from "./doctorWork.ts"
import { serviceStatus } from "./Service.ts"

export const DoctorReport = Schema.Struct({ checks: Schema.Array(Check) }).annotations({ identifier: "DoctorReport" })
export type DoctorReport = typeof DoctorReport.Type

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail, advice: null })
const fixed = (name: string, detail: string): Check => ({ name, status: "fixed", detail, advice: null })
const warn = (name: string, detail: string, advice: string | null): Check => ({ name, status: "warn", detail, advice })
const fail = (name: string, detail: string, advice: string | null): Check => ({ name, status: "fail", detail, advice })

const mending = "'beat doctor --fix' repairs it"
const megabyte = 1_000_000
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`

const checkNode = Effect.gen(function* () {
  const version = yield* (yield* Installation).node
  return Number.parseInt(version, 10) >= 20
    ? ok("node", `Node ${version}`)
    : fail("node", `Node ${version} is too old`, "install Node 20 or newer")
})

const checkHome = Effect.gen(function* () {
  const { home } = yield* Paths
  const facts = yield* (yield* Installation).file(home)
  if (facts.kind !== "missing" && facts.kind !== "directory") {
    return fail("home", `${home} is not a directory`, "move the file away, or set BACKBEAT_HOME")
  }
  if (!facts.writable) return fail("home", `${home} cannot be written`, "correct its permissions, or set BACKBEAT_HOME")
  return ok("home", facts.kind === "missing" ? `${home} (does not exist yet; created at first use)` : home)
})

/** A worker claims only what its own user has submitted, and what root has made in the home keeps its user out. */
const checkOwner = Effect.gen(function* () {
  const { config, database, logs, spool } = yield* Paths
  const installation = yield* Installation
  const foreign = yield* installation.foreignOwner(database)
  if (foreign !== null) {
    const advice = "run 'beat' as that user, or set BACKBEAT_HOME to a directory of your own"
    return fail("owner", `${database}: ${foreign}`, advice)
  }
  const names = yield* installation.entries(logs)
  const inHome = [`${database}-wal`, `${database}-shm`, spool, logs, ...names.map((name) => `${logs}/${name}`)]
  // Settings that root has written for its users count, as long as they can be read.
  const unread = Either.isLeft(yield* Effect.either((yield* SettingsStore).file))
  const others = new Map<string, ReadonlyArray<string>>()
  for (const path of unread ? [config, ...inHome] : inHome) {
    const other = yield* installation.otherOwner(path)
    if (other !== null) others.set(other, [...(others.get(other) ?? []), path])
  }
  if (others.size === 0) return ok("owner", "the files are yours")
  const detail = Array.from(others, ([other, paths]) => `${paths.join(", ")}: owned by ${other}`).join("; ")
  const { uid } = yield* Processes
  return fail("owner", detail, `run as root: chown ${uid} ${[...others.values()].flat().join(" ")}`)
})

const octal = (mode: number) => mode.toString(8).padStart(4, "0")

const checkModes = Effect.fn("doctor.modes")(function* (fix: boolean) {
  const { config, database, home, logs, spool } = yield* Paths
  const installation = yield* Installation
  const wanted: ReadonlyArray<readonly [string, number]> = [
    [home, 0o700],
    [spool, 0o700],
    [logs, 0o700],
    [database, 0o600],
    [`${database}-wal`, 0o600],
    [`${database}-shm`, 0o600],
    [config, 0o600]
  ]
  const open: Array<string> = []
  const left: Array<string> = []
  for (const [path, mode] of wanted) {
    const facts = yield* installation.file(path)
    // What others may do is what matters: a stricter mode is fine.
    if (facts.mode === null || (facts.mode & 0o077) === 0) continue
    open.push(`${path} (${octal(facts.mode)})`)
    if (fix && (yield* installation.setMode(path, mode))) continue
    left.push(path)
  }
  if (open.length === 0) return ok("modes", "files are private to you")
  const detail = `other users can access ${open.join(", ")}`
  return left.length === 0
    ? fixed("modes", detail)
    : warn("modes", detail, fix ? `chmod go= ${left.join(" ")}` : mending)
})

const checkConfig = Effect.gen(function* () {
  const { config } = yield* Paths
  const settings = yield* SettingsStore
  const facts = yield* (yield* Installation).file(config)
  return Either.match(yield* Effect.either(settings.get), {
    onLeft: (error) => fail("config", error.message, `correct it by hand: ${config}`),
    onRight: () => ok("config", facts.kind === "missing" ? `${config} (none: all defaults)` : config)
  })
})

const checkDisk = Effect.gen(function* () {
  const { home } = yield* Paths
  const free = yield* (yield* Installation).freeBytes(home)
  if (free === null) return warn("disk", "the free space is not known", null)
  const detail = `${Math.floor(free / megabyte)} MB free`
  if (free < 50 * megabyte) return fail("disk", detail, "free some space, or 'beat prune' old tasks")
  return free < 1000 * megabyte ? warn("disk", detail, "'beat prune' deletes old tasks") : ok("disk", detail)
})

const checkAgents = Effect.fn("doctor.agents")(function* (environment: Environment) {
  const listed = yield* Effect.either((yield* Agents).list(environment))
  // The broken config was reported already.
  if (Either.isLeft(listed)) return warn("agents", "cannot be listed with this config", null)
  const installed = listed.right.filter(({ name, path }) => path !== null && name !== "shell")
  const chosen = listed.right.find((agent) => agent.default)
  if (chosen !== undefined && chosen.path === null) {
    const install = chosen.install === null ? `put '${chosen.program}' on your PATH` : chosen.install
    return fail("agents", `the default agent '${chosen.name}' is not installed`, install)
  }
  if (installed.length === 0)
    return warn("agents", "no coding agent is installed", "'beat agents' shows how to get one")
  const names = installed.map(({ name }) => name).join(", ")
  return chosen === undefined && installed.length > 1
    ? warn("agents", `${names}; none is the default`, "beat config set defaultAgent NAME")
    : ok("agents", names)
})

/** The part that needs no database. */
export const checkMachine = Effect.fn("doctor.machine")(function* (environment: Environment, fix: boolean) {
  return [
    yield* checkNode,
    yield* checkHome,
    yield* checkOwner,
    yield* checkModes(fix),
    yield* checkConfig,
    yield* checkDisk,
    yield* checkAgents(environment)
  ]
})

const checkDatabase = Effect.gen(function* () {
  const { database } = yield* Paths
  const facts = yield* (yield* Installation).file(database)
  if (facts.kind === "missing") return ok("database", `${database} (does not exist yet; created at first use)`)
  const report = yield* (yield* DatabaseHealth).check
  if (report.damage.length > 0) {
    return fail(
      "database",
      `${database} is damaged: ${report.damage.join("; ")}`,
      "its backups are in the same directory"
    )
  }
  if (report.danglingRows > 0) {
    return fail("database", `${plural(report.danglingRows, "row")} point at nothing`, "please report it")
  }
  if (report.strandedTasks > 0) {
    return fail("database", `${plural(report.strandedTasks, "running task")} without a worker`, "please report it")
  }
  return ok("database", `${database}, schema ${report.schema}, whole`)
})

/** What keeps a worker that is on the list from serving the queue. */
const notServing: Readonly<Record<Serving, string>> = {
  serves: "serves",
  elsewhere: "serves from another container or host",
  unseen: "was registered in another container or on another host and has not written for minutes",
  stopped: "is stopped by a signal: it does nothing, and its tasks wait for it",
  "other-schema": "is of another version: it does not know this database",
  "other-file": "serves another copy of this database",
  "other-user": "runs as another user: it does not claim your tasks",
  dead: "is dead"
}

/** Workers that were launched under a niceness or limits that this process does not have. */
const restrained = Effect.fn("doctor.restrained")(function* (known: ReadonlyArray<WorkerView>) {
  const processes = yield* Processes
  const held = yield* Effect.forEach(known, ({ process }) =>
    Effect.map(processes.restraints(process), (restraints) =>
      restraints.length === 0 ? [] : [`pid ${process.pid} runs with ${restraints.join(", ")}`]
    )
  )
  return held.flat()
})

const checkWorkers = Effect.fn("doctor.workers")(function* (fix: boolean) {
  const registry = yield* WorkerRegistry
  const known = yield* workers()
  const dead = known.filter(({ serving }) => serving === "dead")
  const living = plural(known.filter(({ serving }) => isServing(serving)).length, "live worker")
  const idle = known.filter(({ serving }) => !isServing(serving) && serving !== "dead")
  if (dead.length === 0 && idle.length > 0) {
    const named = idle.map((worker) => `pid ${worker.process.pid} ${notServing[worker.serving]}`)
    const stopped = idle.filter(({ serving }) => serving === "stopped").map(({ process }) => process.pid)
    const advice = stopped.length === 0 ? null : `continue it: kill -CONT ${stopped.join(" ")}`
    return warn("workers", `${living}; ${named.join("; ")}`, advice)
  }
  const held = dead.length > 0 ? [] : yield* restrained(known)
  if (held.length > 0) {
    const advice = "its tasks run so too: end it with 'kill -TERM PID', and another starts when there is work"
    return warn("workers", `${living}; ${held.join("; ")}`, advice)
  }
  if (dead.length === 0) return ok("workers", living)
  const detail = `${plural(dead.length, "dead worker")} still listed, ${living}`
  if (!fix) return warn("workers", detail, mending)
  yield* Effect.forEach(dead, ({ id }) => registry.leave(id, "always"), { discard: true })
  return fixed("workers", detail)
})

const checkSpool = Effect.fn("doctor.spool")(function* (fix: boolean) {
  const { spool } = yield* Paths
  const installation = yield* Installation
  const registry = yield* WorkerRegistry
  const refused = yield* installation.tryWrite(spool)
  if (refused !== null) {
    return fail("spool", `${spool} cannot be written (${refused})`, "free its disk or chmod it")
  }
  // In this order: a directory seen here had a claim row before, so without one now it is left over.
  const directories = yield* installation.entries(spool)
  const claims = new Set<string>((yield* registry.claims).map(({ claimId }) => claimId))
  const left = directories.filter((name) => /^[0-9a-z]{16}$/.test(name) && !claims.has(name))
  if (left.length === 0) return ok("spool", `${plural(claims.size, "running task")}, nothing left over`)
  const detail = `${left.length} ${left.length === 1 ? "directory" : "directories"} of ended tasks in ${spool}`
  if (!fix) return warn("spool", detail, mending)
  const removed = yield* Effect.forEach(left, (name) => installation.removeDirectory(`${spool}/${name}`))
  return removed.every((gone) => gone) ? fixed("spool", detail) : warn("spool", detail, "remove them by hand")
})

/** Work that waits for a worker, and workers whose worker is gone: one and the same cure. */
const checkQueue = Effect.fn("doctor.queue")(function* (fix: boolean) {
  const registry = yield* WorkerRegistry
  const counts = yield* (yield* Tasks).counts
  const known = yield* workers()
  const kept = new Set(known.filter(({ serving }) => serving !== "dead").map(({ id }) => id))
  const orphans = (yield* registry.claims).filter(({ workerId }) => !kept.has(workerId)).length
  const served = known.some(({ serving }) => isServing(serving))
  const scheduled = Option.isSome(yield* (yield* Schedules).nextFire)
  if (served || (counts.queued === 0 && counts.running === 0 && !scheduled)) {
    return ok("queue", `${counts.queued} queued, ${counts.running} running`)
  }
  const detail = `${counts.queued} queued, ${counts.running} running (${orphans} without a worker process)${scheduled ? ", schedules to fire" : ""}, and no worker is running`
  if (!fix) return warn("queue", detail, "start a worker: beat worker --detach")
  const launched = yield* Effect.either(ensureWorker())
  return Either.isRight(launched) ? fixed("queue", detail) : fail("queue", detail, launched.left.message)
})

/** Whether a worker will run for the schedules, also after a reboot. */
const checkSchedules = Effect.gen(function* () {
  const schedules = yield* Schedules
  const active = yield* schedules.list({ status: ["active"], limit: 1000, before: null })
  const paused = yield* schedules.list({ status: ["paused"], limit: 1000, before: null })
  const stuck = paused.filter(({ reason }) => reason !== null)
  const service = yield* serviceStatus()
  const told = `${plural(active.length, "active schedule")}; ${service.detail}`
  if (stuck.length > 0) {
    const named = stuck.slice(0, 3).map(({ id, name, reason }) => `${name ?? id} is paused: ${reason}`)
    return warn("schedules", `${told}. ${named.join("; ")}`, "run 'beat schedule resume' when the cause is fixed")
  }
  if (active.length === 0) return ok("schedules", "none active")
  return service.survives === "yes"
    ? ok("schedules", `${told}: they survive a reboot`)
    : warn(
        "schedules",
        `${told}: they ${service.survives === "no" ? "do not survive a reboot" : "continue after a reboot once you log in"}`,
        service.advice
      )
})

/** The part that looks into the database. */
export const checkStore = Effect.fn("doctor.store")(function* (fix: boolean) {
  return [
    yield* checkDatabase,
    yield* checkWorkers(fix),
    yield* checkSpool(fix),
    yield* checkQueue(fix),
    yield* checkSchedules,
    // The broken config was reported already.
    ...(yield* Effect.catchTag(doctorWork(fix), "ConfigInvalid", () =>
      Effect.succeed([warn("work", "cannot be looked over with this config", null)])
    ))
  ]
})
