/** The entry of `beat`: the light commands, which read and write rows and never load the worker pool. */

import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { tree } from "./cli/Commands.ts"
import { ExitCode } from "./cli/framework/ExitCode.ts"
import { main } from "./cli/framework/main.ts"
import { version } from "./cli/framework/version.ts"
import * as Machine from "./cli/Machine.entry.ts"
import * as Process from "./cli/Process.entry.ts"
import { afterWrites } from "./cli/StandardStream.entry.ts"
import * as Failpoints from "./layers/node/system/Failpoints.ts"
import * as LocalZone from "./layers/node/system/LocalZone.ts"
import { messageLine } from "./text/LogLine.ts"

// The environment of the caller is read before the zone changes it for this process.
const caller = LocalZone.layer.pipe(Layer.provideMerge(Process.layer(version)))

// stdout carries results only.
const logs = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(messageLine))

const exitWith = (code: number) => afterWrites(() => process.exit(code))

// Left to itself, Node takes its heap apart first.
const teardown: Teardown = (exit) => {
  if (Exit.isSuccess(exit)) exitWith(typeof exit.value === "number" ? exit.value : ExitCode.interrupted)
  else process.exit(ExitCode.interrupted)
}

// Closing the fibers and layers that hold nothing takes a tenth of a look.
const leave = (code: ExitCode) =>
  Effect.as(
    Effect.sync(() => exitWith(code)),
    code
  )

Effect.suspend(() => main(tree, Machine.layer, process.argv.slice(2), leave)).pipe(
  Effect.provide(Layer.mergeAll(caller, Failpoints.layer, logs)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
