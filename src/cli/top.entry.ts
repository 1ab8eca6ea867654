/** The entry of `beat top`, in its own bundle: the live screen with the commands that its keys run. */

import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Paths from "../layers/node/files/Paths.ts"
import * as CommitNotifier from "../layers/node/system/CommitNotifier.ts"
import * as Failpoints from "../layers/node/system/Failpoints.ts"
import * as LocalZone from "../layers/node/system/LocalZone.ts"
import { top } from "./commands/watch/top.ts"
import * as FullScreen from "./FullScreen.entry.ts"
import { only } from "./framework/CommandTree.ts"
import { ExitCode } from "./framework/ExitCode.ts"
import { main } from "./framework/main.ts"
import { version } from "./framework/version.ts"
import * as Machine from "./Machine.entry.ts"
import * as Process from "./Process.entry.ts"
import { runTop } from "./top/runTop.ts"

// The environment of the caller is read before the zone changes it for this process.
const caller = LocalZone.layer.pipe(Layer.provideMerge(Process.layer(version)))

// stdout carries results only.
const logs = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

const notifier = CommitNotifier.layer.pipe(Layer.provide(Paths.layer))

const teardown: Teardown = (exit, leave) =>
  leave(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : ExitCode.interrupted)

// A kill loses nothing here. The code that took the terminal restores it when the process exits.
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15]
] as const) {
  process.once(signal, () => process.exit(128 + number))
}
// If the terminal is gone, Node would abort when it resets the terminal at exit: the signal itself ends the process.
// While any listener is left, Node keeps the signal from doing that.
process.once("SIGHUP", () => {
  process.removeAllListeners("SIGHUP")
  process.kill(process.pid, "SIGHUP")
})

const screen = top((given) => Effect.provide(runTop(given), Layer.mergeAll(FullScreen.layer, notifier)))

Effect.suspend(() => main(only(screen), Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide(Layer.mergeAll(caller, Failpoints.layer, logs)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
