/** The entry of `beat mcp start`: answers immediately, serves the queue, and hands it over when the client leaves. */
import { join } from "node:path"
import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { ExitCode, exitCodeOfError } from "./cli/framework/ExitCode.ts"
import { version } from "./cli/framework/version.ts"
import { foreignOwner, requireOwner } from "./layers/node/files/Ownership.ts"
import { settleHome } from "./layers/node/files/Paths.ts"
import { environment } from "./layers/node/files/Surroundings.ts"
import { makeLogFile } from "./layers/node/system/LogFile.ts"
import { makeTurns } from "./mcp/protocol/makeTurns.ts"
import type { Run } from "./mcp/protocol/Run.ts"
import { makeServer, type Toolset } from "./mcp/protocol/Server.ts"
import { stdioTransport } from "./mcp/protocol/Stdio.ts"
import { makeServing } from "./mcp/Serving.entry.ts"
import { submitterOf } from "./programs/tasks/Submitter.ts"
import { logLine } from "./text/LogLine.ts"

/** The pool starts after the client's first answer, or after this time at the latest. */
const poolDelay = "150 millis"
const poolLatest = "2 seconds"

/** The most time from the end of stdin to the exit of this process: for answers, and for handing over. A worker is launched earlier. */
const answersWithin = "250 millis"
const leaveWithin = "850 millis"

/** `beat mcp start --tools all` lists every tool. The launcher starts this bundle with no other options than `--tools core` and `--tools all`. */
const toolsetOf = (variables: ReturnType<typeof environment>): Toolset => {
  if (/--tools[= ]all$/.test(process.argv.slice(2).join(" "))) return "all"
  return submitterOf(variables).taskId === null ? "core" : "inside"
}

/** stdout belongs to the protocol, and clients hide stderr: the log is a file. */
const openLog = (file: string) => {
  const write = makeLogFile(file)
  const line = (level: string, what: string) => write(`${new Date().toISOString()} ${level} ${what}`)
  /** What the client is told about a defect. */
  const bug = (name: string, cause: Cause.Cause<unknown>): Error => {
    line("fatal", `${name} failed by a bug\n${Cause.pretty(cause)}`)
    return new Error(`${name} failed by a bug in Backbeat. The full report is in ${file}`)
  }
  const layer = Logger.replace(
    Logger.defaultLogger,
    Logger.map(logLine, (text) => write(text))
  )
  return { line, bug, layer }
}

/** What is thrown outside of effects, in the SDK or in a stream. */
const onCrash = (report: (error: unknown) => void) => {
  const crash = (error: unknown): void => {
    report(error)
    process.exit(ExitCode.bug)
  }
  process.on("uncaughtException", crash)
  process.on("unhandledRejection", crash)
}

/** Returns when the client has closed its end; a signal interrupts it. */
const server = Effect.gen(function* () {
  const { database, logs } = yield* settleHome(process.env)
  // Before the log: one that root makes would lock the user of this home out.
  yield* requireOwner(database, () => foreignOwner(database))
  const log = openLog(join(logs, "mcp.log"))
  onCrash((error) => log.bug("the server", Cause.die(error)))
  const ended = yield* Deferred.make<void>()
  const answered = yield* Deferred.make<void>()
  const leaving = yield* Deferred.make<void>()
  // Before any zone is set: tasks capture it as it was given.
  const variables = environment()
  const turn = makeTurns((next) => setImmediate(next))
  const serving = yield* makeServing(variables, Deferred.await(leaving), log.layer)

  const run: Run = async (name, effect, abort) => {
    await turn()
    const exit = await serving.run(effect, abort)
    if (Exit.isSuccess(exit)) return exit.value
    const failure = Cause.failureOption(exit.cause)
    if (failure._tag === "Some") throw failure.value
    if (Cause.isInterruptedOnly(exit.cause)) throw new Error(`${name} was cancelled`)
    throw log.bug(name, exit.cause)
  }
  const transport = stdioTransport(process.stdin, process.stdout, (ms, then) => setTimeout(then, ms))
  transport.onend = () => Deferred.unsafeDone(ended, Effect.void)
  transport.onanswer = () => Deferred.unsafeDone(answered, Effect.void)

  const startPool = Deferred.await(answered).pipe(
    Effect.zipRight(Effect.sleep(poolDelay)),
    Effect.timeoutOption(poolLatest),
    Effect.zipRight(serving.start)
  )
  const leave = Effect.gen(function* () {
    yield* Deferred.succeed(leaving, undefined)
    yield* Effect.promise(() => transport.settled()).pipe(Effect.interruptible, Effect.timeoutOption(answersWithin))
    // Unregister first: later submitters then find no worker here and launch one. For existing work, one is launched now.
    const stopping = yield* Effect.forkDaemon(serving.stop)
    yield* Fiber.await(stopping).pipe(Effect.interruptible, Effect.timeoutOption(leaveWithin))
  })

  serveStdio(({ era }) => makeServer(era, version, run, toolsetOf(variables)), {
    transport,
    onerror: (error) => log.line("warn ", `protocol: ${error.message}`)
  })
  yield* Effect.zip(startPool, Deferred.await(ended), { concurrent: true }).pipe(Effect.ensuring(leave))
  return ExitCode.ok
})

const refused = (error: { readonly _tag: string; readonly message: string }) =>
  Effect.sync(() => {
    process.stderr.write(`beat: ${error.message}\n`)
    return exitCodeOfError(error)
  })

const teardown: Teardown = (exit) => {
  const code = Exit.isSuccess(exit) ? Number(exit.value) : Exit.isInterrupted(exit) ? ExitCode.ok : ExitCode.bug
  process.exit(code)
}

// The end of a session may be the end of its terminal.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

server.pipe(
  Effect.catchAll(refused),
  Effect.tapDefect((cause) => Effect.sync(() => process.stderr.write(`beat: ${Cause.pretty(cause)}\n`))),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
