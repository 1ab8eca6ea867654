/** The entry of `beat worker` in its own bundle: the full worker, which light commands never load. */

import type { Teardown } from "@effect/platform/Runtime"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { WorkerId } from "../domain/worker/Worker.ts"
import * as Full from "../layers/Full.ts"
import * as Failpoints from "../layers/node/system/Failpoints.ts"
import * as LocalZone from "../layers/node/system/LocalZone.ts"
import { handOver } from "../programs/serving/handOver.ts"
import { ensureWorker } from "../programs/worker/ensureWorker.ts"
import { runPool } from "../programs/worker/pool.ts"
import { type WorkerOptions, worker } from "./commands/setup/worker.ts"
import { only } from "./framework/CommandTree.ts"
import { ExitCode } from "./framework/ExitCode.ts"
import { main } from "./framework/Main.ts"
import { version } from "./framework/Version.ts"
import * as Machine from "./Machine.entry.ts"
import * as Process from "./Process.entry.ts"
import * as WorkerCommand from "./WorkerCommand.entry.ts"
import * as WorkerLog from "./WorkerLog.ts"

const services = Full.layer.pipe(Layer.provide(WorkerCommand.layer))

const run = ({ detach, keep, onDemand }: WorkerOptions) =>
  Effect.gen(function* () {
    if (detach) yield* ensureWorker()
    else if (onDemand) yield* runPool({ kind: "on-demand", version, leaveWhenIdle: !keep })
    else yield* inForeground(keep)
    return ExitCode.ok
  }).pipe(Effect.provide(services))

/** A worker that a person or a service started is ended by them, and what it leaves behind is served all the same. */
const inForeground = (keep: boolean) =>
  Effect.gen(function* () {
    const registered = yield* Ref.make<WorkerId | null>(null)
    const pool = runPool({
      kind: "worker",
      version,
      leaveWhenIdle: !keep,
      onRegistered: (id) => Ref.set(registered, id)
    })
    yield* Effect.onInterrupt(pool, () =>
      Effect.gen(function* () {
        const id = yield* Ref.get(registered)
        const launched = id !== null && (yield* handOver(id))
        yield* Effect.logInfo(
          launched
            ? "interrupted: agents go on, and a worker in the background takes over what is left"
            : "interrupted: nothing is left to do here, or another worker serves the queue"
        )
      }).pipe(
        Effect.timeout("5 seconds"),
        Effect.catchAllCause((cause) =>
          Effect.logWarning("interrupted: no other worker could be started; start one: beat worker --detach", cause)
        )
      )
    )
  })

// The environment of the caller is read before the zone changes it for this process.
const caller = LocalZone.layer.pipe(Layer.provideMerge(Process.layer(version)))

const teardown: Teardown = (exit, onExit) =>
  onExit(Exit.isSuccess(exit) ? (exit.value as number) : ExitCode.interrupted)

// Closing the terminal ends a foreground worker, as Ctrl-C does.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

Effect.suspend(() => main(only(worker(run)), Machine.layer, process.argv.slice(2))).pipe(
  Effect.provide([caller, WorkerLog.layer, Failpoints.layer]),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
