/** The entry of `beat mcp start`: answers immediately, serves the queue, and hands it over when the client leaves. */
import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as EffectQueue from "effect/Queue"
import * as EffectRuntime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import { ExitCode } from "./cli/framework/ExitCode.ts"
import { version } from "./cli/framework/Version.ts"
import * as WorkerCommand from "./cli/WorkerCommand.entry.ts"
import type { WorkerId } from "./domain/worker/Worker.ts"
import * as Layers from "./layers/Full.ts"
import * as Directories from "./layers/node/files/Directories.ts"
import { settleHome } from "./layers/node/files/Paths.ts"
import { environment, workingDirectory } from "./layers/node/files/Surroundings.ts"
import * as Failpoints from "./layers/node/system/Failpoints.ts"
import * as LocalZone from "./layers/node/system/LocalZone.ts"
import { makeServer, type Run } from "./mcp/protocol/Server.ts"
import { Session } from "./mcp/protocol/Session.ts"
import { stdioTransport } from "./mcp/protocol/Stdio.ts"
import { handOver } from "./programs/serving/handOver.ts"
import { runPool } from "./programs/worker/pool.ts"
import { Pipelines } from "./services/Pipelines.ts"
import { Queue } from "./services/Queue.ts"
import { Schedules } from "./services/Schedules.ts"
import { logLine } from "./text/LogLine.ts"

/** The pool starts after the client's first answer, or after this time at the latest. */
const poolDelayMs = 150
const poolLatestMs = 2000

/** The most time from the end of stdin to the exit of this process, including all cleanup. */
const answersMs = 250
const leaveMs = 300
const handOverMs = 350

const maxLogBytes = 5 * 1024 * 1024

const sleep = (ms: number) => new Promise<void>((resume) => setTimeout(resume, ms))

const signal = () => {
  let send = (): void => undefined
  const received = new Promise<void>((resolve) => {
    send = resolve
  })
  return { send: () => send(), received }
}

const settled = settleHome(process.env)
if (Either.isLeft(settled)) {
  process.stderr.write(`beat: ${settled.left.message}\n`)
  process.exit(ExitCode.usage)
}
const paths = settled.right
const logFile = join(paths.logs, "mcp.log")

/** stdout belongs to the protocol, and clients hide stderr: the log is a file, and a line that cannot be written is lost. */
const log = (line: string): void => {
  try {
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
    if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(logFile, `${logFile}.1`)
    appendFileSync(logFile, `${line} pid=${process.pid}\n`, { mode: 0o600 })
  } catch {
    process.stderr.write(`${line}\n`)
  }
}

const leaving = signal()
const serving = signal()
let workerId: WorkerId | null = null
let poolFiber: Fiber.RuntimeFiber<unknown> | null = null

const session = Layer.succeed(
  Session,
  Session.of({
    directory: workingDirectory(),
    environment: environment(),
    serving: Effect.suspend(() => {
      startPool()
      return Effect.promise(() => serving.received)
    }),
    leaving: Effect.promise(() => leaving.received)
  })
)

/** Filled by every submission, cancel and edit of this process. */
const nudges = Effect.runSync(EffectQueue.sliding<void>(1))
const nudge = EffectQueue.offer(nudges, undefined)

const nudging = Layer.effect(
  Queue,
  Effect.map(Queue, (queue) =>
    Queue.of({
      ...queue,
      enqueue: (...given) => Effect.tap(queue.enqueue(...given), nudge),
      cancel: (...given) => Effect.tap(queue.cancel(...given), nudge),
      edit: (...given) => Effect.tap(queue.edit(...given), nudge)
    })
  )
)

const nudgingPipelines = Layer.effect(
  Pipelines,
  Effect.map(Pipelines, (pipelines) =>
    Pipelines.of({
      ...pipelines,
      create: (...given) => Effect.tap(pipelines.create(...given), nudge),
      cancel: (...given) => Effect.tap(pipelines.cancel(...given), nudge)
    })
  )
)

const nudgingSchedules = Layer.effect(
  Schedules,
  Effect.map(Schedules, (schedules) =>
    Schedules.of({
      ...schedules,
      create: (given) => Effect.tap(schedules.create(given), nudge),
      resume: (id) => Effect.tap(schedules.resume(id), nudge),
      edit: (...given) => Effect.tap(schedules.edit(...given), nudge),
      runNow: (id) => Effect.tap(schedules.runNow(id), nudge)
    })
  )
)

const ports = Layers.layer.pipe(Layer.provide(WorkerCommand.layer))

const layer = Layer.mergeAll(
  nudging,
  nudgingPipelines,
  nudgingSchedules,
  Directories.layer,
  session,
  LocalZone.layer,
  Failpoints.layer
).pipe(
  Layer.provideMerge(ports),
  Layer.provideMerge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.map(logLine, (line) => log(line))
    )
  )
)

let services = ManagedRuntime.make(layer)

/**
 * Built at first use: a client can list the tools before any file is opened. After a failure the next call builds it
 * again. A call that its client cancels in the meantime does not stop the build for other calls.
 */
const built = Effect.suspend(() => {
  const made = services
  return Effect.tapErrorCause(made.runtimeEffect, (cause) =>
    Effect.sync(() => {
      if (services === made && !Cause.isInterrupted(cause)) services = ManagedRuntime.make(layer)
    })
  )
})

type Services = ManagedRuntime.ManagedRuntime.Context<typeof services>

/** On the services' own worker: laying it over another one costs each call as much as a look into the database. */
const runWith = async <A, E>(effect: Effect.Effect<A, E, Services>, signal: AbortSignal) => {
  const worker = await Effect.runPromiseExit(built, { signal })
  return Exit.isFailure(worker)
    ? Exit.failCause(worker.cause)
    : EffectRuntime.runPromiseExit(worker.value, effect, { signal })
}

const startPool = (): void => {
  if (poolFiber !== null) return
  const pool = runPool({
    kind: "mcp",
    version,
    leaveWhenIdle: false,
    onRegistered: (id) =>
      Effect.sync(() => {
        workerId = id
        serving.send()
      }),
    nudged: EffectQueue.take(nudges)
  })
  poolFiber = Effect.runFork(
    Effect.flatMap(built, (runtime) => Effect.provide(pool, runtime)).pipe(
      Effect.tapErrorCause((cause) => Effect.sync(() => report("error", "the worker pool has stopped", cause))),
      // Tasks stay safe, and tools report the problem: no call waits for a pool that cannot start.
      Effect.ensuring(Effect.sync(serving.send)),
      Effect.sandbox,
      Effect.retry(Schedule.spaced("5 seconds")),
      Effect.ignore
    )
  )
}

const report = (level: string, what: string, cause: Cause.Cause<unknown>): void =>
  log(`${new Date().toISOString()} ${level} ${what}\n${Cause.pretty(cause)}`)

const bug = (name: string, cause: Cause.Cause<unknown>): Error => {
  report("fatal", `${name} failed by a bug`, cause)
  return new Error(`${name} failed by a bug in Backbeat. The full report is in ${logFile}`)
}

const run: Run = async (name, effect, abort) => {
  const exit = await runWith(effect, abort)
  if (Exit.isSuccess(exit)) return exit.value
  const failure = Cause.failureOption(exit.cause)
  if (failure._tag === "Some") throw failure.value
  if (Cause.isInterruptedOnly(exit.cause)) throw new Error(`${name} was cancelled`)
  throw bug(name, exit.cause)
}

const transport = stdioTransport(process.stdin, process.stdout, (ms, then) => setTimeout(then, ms))

/** Unregister first: later submitters then find no worker here and launch one. For existing work, launch one now. */
const leave = async (): Promise<void> => {
  if (poolFiber === null) return
  await Promise.race([Effect.runPromise(Fiber.interrupt(poolFiber)), sleep(leaveMs)])
  if (workerId === null) return
  await Promise.race([runWith(handOver(workerId), AbortSignal.timeout(handOverMs)), sleep(handOverMs)])
}

let ending = false
const end = async (): Promise<void> => {
  if (ending) return
  ending = true
  leaving.send()
  await Promise.race([transport.settled(), sleep(answersMs)])
  await leave()
  process.exit(0)
}

const crash = (error: unknown): void => {
  bug("the server", Cause.die(error))
  process.exit(70)
}

process.on("uncaughtException", crash)
process.on("unhandledRejection", crash)
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => void end())

transport.onend = () => void end()
transport.onanswer = () => setTimeout(startPool, poolDelayMs)
setTimeout(startPool, poolLatestMs)

serveStdio(({ era }) => makeServer(era, version, run), {
  transport,
  onerror: (error) => log(`${new Date().toISOString()} warn  protocol: ${error.message}`)
})
