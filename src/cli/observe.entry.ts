/** The entry of `beat metrics`, `beat timeline`, `beat support` and `beat logs --worker`, in a separate bundle. */
import { join } from "node:path"
import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Failpoints from "../layers/node/system/Failpoints.ts"
import * as LocalZone from "../layers/node/system/LocalZone.ts"
import { metricsText } from "../programs/metrics/metricsText.ts"
import { Timeline, timeline as timelineOf } from "../programs/metrics/timeline.ts"
import { Paths } from "../services/Paths.ts"
import { Tasks } from "../services/Tasks.ts"
import { moment } from "../text/FormatDuration.ts"
import { sanitize } from "../text/Sanitize.ts"
import { metrics, support, timeline } from "./commands/observe/observe.ts"
import { workerLogs } from "./commands/observe/workerLogs.ts"
import { Stores } from "./framework/Access.ts"
import type { CommandTree } from "./framework/CommandTree.ts"
import { ExitCode } from "./framework/ExitCode.ts"
import { printJson } from "./framework/Json.ts"
import { main } from "./framework/main.ts"
import { stylesOf } from "./framework/Style.ts"
import { Terminal } from "./framework/Terminal.ts"
import { version } from "./framework/version.ts"
import * as Machine from "./Machine.entry.ts"
import { noticeFacts } from "./output/EventText.ts"
import { cut } from "./output/Layout.ts"
import { plain } from "./output/TaskTable.ts"
import * as Process from "./Process.entry.ts"
import { makeLogReader } from "./readLog.entry.ts"
import { supportText } from "./support.entry.ts"

const reading = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Stores, ({ read }) => Effect.provide(effect, read))

const printMetrics = reading(
  Effect.gen(function* () {
    const terminal = yield* Terminal
    yield* terminal.write(yield* metricsText())
    return ExitCode.ok
  })
)

const printTimeline = (reference: string, asJson: boolean) =>
  reading(
    Effect.gen(function* () {
      const terminal = yield* Terminal
      const id = yield* (yield* Tasks).resolve(reference)
      const found = yield* timelineOf(id, noticeFacts)
      if (asJson) {
        yield* printJson(Timeline, found)
        return ExitCode.ok
      }
      const { dim } = stylesOf(terminal.stdout)
      const several = new Set(found.entries.map(({ taskId }) => taskId)).size > 1
      const wide = Math.max(...found.entries.map(({ what }) => what.length))
      for (const { at, details, taskId, what } of found.entries) {
        const head = `${moment(at)}  ${several ? `${taskId}  ` : ""}`
        const rest = `${what.padEnd(wide)}  ${plain(details)}`.trimEnd()
        const { columns } = terminal.stdout
        yield* terminal.print(`${dim(head)}${columns === null ? rest : cut(rest, Math.max(20, columns - head.length))}`)
      }
      if (found.cut) yield* terminal.say("beat: events from the beginning of this task are no longer kept.")
      return ExitCode.ok
    })
  )

const printSupport = Effect.gen(function* () {
  const terminal = yield* Terminal
  yield* terminal.write(yield* supportText)
  return ExitCode.ok
})

/** A log grows by some lines a minute: nothing is gained by a watch of the file. */
const lookEvery = "250 millis"

const printWorkerLog = (lines: number, follow: boolean) =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const file = join((yield* Paths).logs, "worker.log")
    const reader = makeLogReader(file)
    const show = (all: ReadonlyArray<string>) => Effect.forEach(all, (line) => terminal.print(sanitize(line)))
    yield* show(reader.last(lines))
    if (!reader.exists()) yield* terminal.say(`beat: no worker in the background has written a log yet: ${file}`)
    if (!follow) return ExitCode.ok
    return yield* Effect.forever(
      Effect.zipRight(
        Effect.sleep(lookEvery),
        Effect.suspend(() => show(reader.next()))
      )
    )
  })

const entryOf = (command: ReturnType<typeof metrics>) => ({
  path: command.path,
  aliases: [],
  load: Effect.succeed(command)
})

const tree: CommandTree = {
  groups: {},
  entries: [metrics(printMetrics), timeline(printTimeline), support(printSupport), workerLogs(printWorkerLog)].map(
    entryOf
  )
}

// The environment of the caller is read before the zone changes it for this process.
const caller = LocalZone.layer.pipe(Layer.provideMerge(Process.layer(version)))

// stdout carries results only.
const logs = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

const teardown: Teardown = (exit, leave) =>
  leave(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : ExitCode.interrupted)

Effect.suspend(() => main(tree, Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide(Layer.mergeAll(caller, Failpoints.layer, logs)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
