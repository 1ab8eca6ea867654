/** The entry of `beat web` in its own bundle: the page, its API, and what starts, finds and ends them. */

import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { WebNotRunning, WebUnavailable } from "../domain/web/WebErrors.ts"
import { urlOf, type WebRecord } from "../domain/web/WebRecord.ts"
import * as CommitNotifier from "../layers/node/system/CommitNotifier.ts"
import * as Failpoints from "../layers/node/system/Failpoints.ts"
import * as LocalZone from "../layers/node/system/LocalZone.ts"
import { detachWeb, webLog } from "../layers/node/web/detachWeb.ts"
import { listen } from "../layers/node/web/listen.ts"
import { openPage } from "../layers/node/web/openPage.ts"
import * as WebRecordsFile from "../layers/node/web/WebRecords.ts"
import { noticeHub } from "../programs/events/noticeHub.ts"
import { Paths } from "../services/Paths.ts"
import { Processes } from "../services/Processes.ts"
import { WebRecords } from "../services/WebRecords.ts"
import { openApi } from "../web/api/openApi.ts"
import { Assets } from "../web/server/Assets.ts"
import { app } from "../web/server/app.ts"
import { clients } from "../web/server/clients.ts"
import { WebSession } from "../web/server/WebSession.ts"
import { type WebOptions, WebView, webCommands } from "./commands/web/web.ts"
import { Stores } from "./framework/Access.ts"
import { Caller } from "./framework/Caller.ts"
import type { Command } from "./framework/Command.ts"
import type { CommandTree } from "./framework/CommandTree.ts"
import { ExitCode } from "./framework/ExitCode.ts"
import { printJson } from "./framework/Json.ts"
import { main } from "./framework/main.ts"
import { Terminal } from "./framework/Terminal.ts"
import { version } from "./framework/version.ts"
import * as Machine from "./Machine.entry.ts"
import * as Process from "./Process.entry.ts"
import * as WorkerCommandEntry from "./WorkerCommand.entry.ts"

const standardPort = 4180
const detachedIdleMs = 30 * 60_000
const startMs = 20_000
const stopMs = 5000
const lookMs = 40

const records = WebRecordsFile.layer

const viewOf = (record: WebRecord): typeof WebView.Type => {
  const { allowRun, port, process: owner, readOnly, startedAt } = record
  return { url: urlOf(record), port, pid: owner.pid, readOnly, allowRun, version: record.version, startedAt }
}

const show = Effect.fn("beat.web.show")(function* (record: WebRecord, json: boolean) {
  const terminal = yield* Terminal
  if (json) yield* printJson(WebView, viewOf(record))
  else yield* terminal.print(urlOf(record))
})

/** The page is already served: prints its address, and a warning if its rights differ from the options. */
const showRunning = Effect.fn("beat.web.running")(function* (record: WebRecord, options: WebOptions) {
  const terminal = yield* Terminal
  yield* show(record, options.json)
  const other = record.readOnly !== options.readOnly || record.allowRun !== options.allowRun
  if (other) {
    const words = [...(record.readOnly ? ["with --read-only"] : []), ...(record.allowRun ? ["with --allow-run"] : [])]
    const how = words.length === 0 ? "without --read-only and --allow-run" : words.join(" and ")
    yield* terminal.say(`beat: the page is already served, ${how}. To change that: beat web stop`)
  }
  if (options.open) yield* open(record)
  return ExitCode.ok
}, Effect.scoped)

/** Long enough for a browser to read the file that sends it to the page. */
const openedMs = 10_000

const open = Effect.fn("beat.web.open")(function* (record: WebRecord) {
  const terminal = yield* Terminal
  const opened = yield* openPage(urlOf(record))
  if (!opened) yield* terminal.say("beat: no program that opens pages was found. Open the address yourself.")
  return yield* Effect.sleep(opened ? openedMs : 0)
})

const bind = (port: number | null) =>
  port === null ? Effect.catchTag(listen(standardPort), "PortTaken", () => listen(0)) : listen(port)

/** Under the lock: looks for a running server, and otherwise becomes the server. */
const begin = Effect.fn("beat.web.begin")(function* (options: WebOptions) {
  const web = yield* WebRecords
  const found = yield* web.running
  if (Option.isSome(found)) return { record: found.value, listener: null }
  const processes = yield* Processes
  const listener = yield* bind(options.port)
  const record: WebRecord = {
    process: yield* processes.self,
    port: listener.port,
    token: yield* web.newToken,
    readOnly: options.readOnly,
    allowRun: options.allowRun,
    version,
    startedAt: yield* Clock.currentTimeMillis
  }
  yield* Effect.addFinalizer(() => web.remove)
  yield* web.write(record)
  return { record, listener }
})

const serve = Effect.fn("beat.web.serve")(function* (options: WebOptions) {
  const terminal = yield* Terminal
  const caller = yield* Caller
  const web = yield* WebRecords
  const { listener, record } = yield* web.alone(begin(options))
  if (listener === null) return yield* showRunning(record, options)
  const present = yield* clients
  const { assets } = yield* Effect.promise(() => import("../web/Page.ts"))
  const hub = yield* noticeHub
  const session = WebSession.of({
    version,
    readOnly: options.readOnly,
    allowRun: options.allowRun,
    directory: caller.directory,
    environment: caller.environment,
    clients: present,
    hub
  })
  const answer = yield* app(record, present.seen).pipe(
    Effect.provideService(WebSession, session),
    Effect.provideService(Assets, assets)
  )
  yield* listener.serve(answer)
  yield* show(record, options.json)
  yield* terminal.say("beat: the page is on this machine only. Ctrl-C ends it; tasks continue.")
  if (options.open) yield* Effect.forkScoped(Effect.scoped(open(record)))
  yield* Effect.raceFirst(options.idle === null ? Effect.never : present.gone(options.idle), hub.lost)
  yield* terminal.say("beat: there was no client for a long time: the page is no longer served.")
  return ExitCode.ok
}, Effect.scoped)

const inForeground = (options: WebOptions) =>
  Effect.flatMap(Stores, ({ write }) =>
    serve(options).pipe(Effect.provide(Layer.mergeAll(write, CommitNotifier.layer)))
  )

const inBackground = Effect.fn("beat.web.detach")(function* (options: WebOptions) {
  const web = yield* WebRecords
  const { logs } = yield* Paths
  const before = yield* web.running
  if (Option.isSome(before)) return yield* showRunning(before.value, options)
  yield* detachWeb([
    ...(options.port === null ? [] : ["--port", String(options.port)]),
    ...(options.readOnly ? ["--read-only"] : []),
    ...(options.allowRun ? ["--allow-run"] : []),
    "--idle",
    `${options.idle ?? detachedIdleMs}ms`
  ]).pipe(Effect.provide(WorkerCommandEntry.layer))
  const started = yield* Effect.gen(function* () {
    while (true) {
      const found = yield* web.running
      if (Option.isSome(found)) return found.value
      yield* Effect.sleep(lookMs)
    }
  }).pipe(
    Effect.timeoutFail({
      duration: startMs,
      onTimeout: () => new WebUnavailable({ problem: `The server did not start. Its log: ${webLog(logs)}` })
    })
  )
  yield* show(started, options.json)
  if (options.open) yield* Effect.scoped(open(started))
  return ExitCode.ok
})

const required = Effect.gen(function* () {
  const web = yield* WebRecords
  const found = yield* web.running
  return Option.isSome(found) ? found.value : yield* new WebNotRunning()
})

const commands = webCommands({
  start: (options) => Effect.provide(options.detach ? inBackground(options) : inForeground(options), records),
  stop: ({ json }) =>
    Effect.gen(function* () {
      const web = yield* WebRecords
      const terminal = yield* Terminal
      const record = yield* required
      if (!(yield* web.stop(record, stopMs))) {
        const problem = `The server (pid ${record.process.pid}) does not end. End it yourself: kill ${record.process.pid}`
        return yield* new WebUnavailable({ problem })
      }
      if (json) yield* printJson(WebView, viewOf(record))
      else yield* terminal.say("beat: the page is no longer served.")
      return ExitCode.ok
    }).pipe(Effect.provide(records)),
  status: ({ json }) =>
    Effect.gen(function* () {
      const terminal = yield* Terminal
      const record = yield* required
      const { port, readOnly } = record
      const how = `${readOnly ? ", to look only" : ""}${record.allowRun ? ", with shell commands" : ""}`
      if (json) yield* printJson(WebView, viewOf(record))
      else yield* terminal.print(`The page is on port ${port}, served by pid ${record.process.pid}${how}.`)
      return ExitCode.ok
    }).pipe(Effect.provide(records)),
  url: Effect.gen(function* () {
    yield* show(yield* required, false)
    return ExitCode.ok
  }).pipe(Effect.provide(records)),
  openapi: Effect.gen(function* () {
    const terminal = yield* Terminal
    yield* terminal.print(JSON.stringify(openApi, null, 2))
    return ExitCode.ok
  })
})

const entryOf = (command: Command) => ({ path: command.path, aliases: [], load: Effect.succeed(command) })

const tree: CommandTree = {
  groups: {
    web: { summary: "Show tasks in the browser", standard: "start" },
    api: { summary: "Describe the HTTP API", standard: "openapi" }
  },
  entries: Object.values(commands).map(entryOf)
}

// The environment of the caller is read before the zone changes it for this process.
const caller = LocalZone.layer.pipe(Layer.provideMerge(Process.layer(version)))

// stdout carries results only.
const logs = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

const teardown: Teardown = (exit, leave) =>
  leave(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : ExitCode.interrupted)

// Closing the terminal ends it, as Ctrl-C does.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

Effect.suspend(() => main(tree, Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide(Layer.mergeAll(caller, Failpoints.layer, logs)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
