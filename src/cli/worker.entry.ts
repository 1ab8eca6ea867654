/** The entry of `beat worker` in its own bundle: the full worker, which light commands never load. */

import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Full from "../layers/Full.ts"
import * as Paths from "../layers/node/files/Paths.ts"
import * as Failpoints from "../layers/node/system/Failpoints.ts"
import * as LocalZone from "../layers/node/system/LocalZone.ts"
import { ensureWorker } from "../programs/worker/ensureWorker.ts"
import { WorkerPool } from "../services/WorkerPool.ts"
import { type WorkerOptions, worker } from "./commands/setup/worker.ts"
import { only } from "./framework/CommandTree.ts"
import { ExitCode } from "./framework/ExitCode.ts"
import { main } from "./framework/main.ts"
import { version } from "./framework/version.ts"
import * as Machine from "./Machine.entry.ts"
import * as Process from "./Process.entry.ts"
import * as WorkerCommand from "./WorkerCommand.entry.ts"
import * as WorkerLog from "./WorkerLog.entry.ts"

/** A worker that a person or a service started is ended by them, and what it leaves behind is served all the same. */
const handOverWithin = "5 seconds"

const serve = Effect.flatMap(WorkerPool, ({ left }) => left)

const work = ({ detach, keep, onDemand }: WorkerOptions) => {
  if (detach) return Effect.asVoid(Effect.provide(ensureWorker(), Full.ports))
  const kind = onDemand ? "on-demand" : "worker"
  const options = { kind, version, leaveWhenIdle: !keep, handOverWithin: onDemand ? null : handOverWithin } as const
  return Effect.provide(serve, Full.layer(options))
}

const run = (options: WorkerOptions) => work(options).pipe(Effect.as(ExitCode.ok), Effect.provide(WorkerCommand.layer))

// The environment of the caller is read before the zone changes it for this process.
const caller = LocalZone.layer.pipe(Layer.provideMerge(Process.layer(version)))

const teardown: Teardown = (exit, onExit) =>
  onExit(Exit.isSuccess(exit) ? (exit.value as number) : ExitCode.interrupted)

// Closing the terminal ends a foreground worker, as Ctrl-C does.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

Effect.suspend(() => main(only(worker(run)), Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide([caller, WorkerLog.layer.pipe(Layer.provide(Paths.layer)), Failpoints.layer]),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
