/** The entry of `beat worker`, a bundle of its own: the full runtime, which light commands never load. */

import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Failpoints from "../layers/node/Failpoints.ts"
import * as Runtime from "../layers/Runtime.ts"
import { ensureRuntime } from "../programs/ensureRuntime.ts"
import { runPool } from "../programs/pool.ts"
import { only } from "./CommandTree.ts"
import { type WorkerOptions, worker } from "./commands/worker.ts"
import { ExitCode } from "./ExitCode.ts"
import * as Machine from "./Machine.entry.ts"
import { main } from "./Main.ts"
import * as Process from "./Process.entry.ts"
import * as RuntimeCommand from "./RuntimeCommand.entry.ts"
import { version } from "./Version.ts"
import * as WorkerLog from "./WorkerLog.ts"

const runtime = Runtime.layer.pipe(Layer.provide(RuntimeCommand.layer))

const run = ({ detach, keep, onDemand }: WorkerOptions) =>
  Effect.gen(function* () {
    if (detach) yield* ensureRuntime()
    else yield* runPool({ kind: onDemand ? "on-demand" : "worker", version, leaveWhenIdle: !keep })
    return ExitCode.ok
  }).pipe(
    Effect.provide(runtime),
    Effect.onInterrupt(() => Effect.logInfo("interrupted: agents go on, the next worker takes them over"))
  )

const teardown: Teardown = (exit, onExit) =>
  onExit(Exit.isSuccess(exit) ? (exit.value as number) : ExitCode.interrupted)

// A closed terminal ends a foreground worker the way Ctrl-C does.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

Effect.suspend(() => main(only(worker(run)), Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide([Process.layer(version), WorkerLog.layer, Failpoints.layer]),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
