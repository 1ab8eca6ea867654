/** The entry of `beat worker`, a bundle of its own: the full runtime, which light commands never load. */
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import type { Teardown } from "@effect/platform/Runtime"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "../layers/Runtime.ts"
import { ensureRuntime } from "../programs/ensureRuntime.ts"
import { runPool } from "../programs/pool.ts"
import { RuntimeCommand } from "../services/RuntimeCommand.ts"
import { worker } from "./commands/worker.ts"
import { ExitCode, exitCodeOfError } from "./ExitCode.ts"
import { version } from "./Version.ts"
import * as WorkerLog from "./WorkerLog.ts"

const hasTag = (error: unknown): error is { readonly _tag: string; readonly message: string } =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"

const report = (cause: Cause.Cause<unknown>) => {
  if (Cause.isInterruptedOnly(cause))
    return Effect.logInfo("interrupted: running agents go on, another worker takes over")
  return Option.match(Cause.failureOption(cause), {
    onNone: () => Effect.logFatal("unexpected failure", cause),
    onSome: (error) =>
      ValidationError.isValidationError(error)
        ? Effect.void
        : Effect.logError(hasTag(error) ? error.message : String(error))
  })
}

const exitCode = (cause: Cause.Cause<unknown>): number =>
  Cause.isInterruptedOnly(cause)
    ? ExitCode.interrupted
    : Option.match(Cause.failureOption(cause), {
        onNone: () => ExitCode.bug,
        onSome: (error) =>
          ValidationError.isValidationError(error)
            ? ExitCode.usage
            : hasTag(error)
              ? exitCodeOfError(error)
              : ExitCode.bug
      })

const teardown: Teardown = (exit, onExit) => onExit(Exit.isSuccess(exit) ? ExitCode.ok : exitCode(exit.cause))

const run = worker.pipe(
  Command.withHandler(({ detach, keep, onDemand }) =>
    detach
      ? Effect.asVoid(ensureRuntime())
      : runPool({ kind: onDemand ? "on-demand" : "worker", version, leaveWhenIdle: !keep })
  ),
  Command.provide(
    Runtime.layer.pipe(
      Layer.provide(
        Layer.sync(RuntimeCommand, () => RuntimeCommand.of({ command: [process.execPath, process.argv[1] ?? ""] }))
      )
    )
  ),
  Command.run({ name: "beat worker", version })
)

// A closed terminal ends a foreground worker the way Ctrl-C does.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

Effect.suspend(() => run([process.argv[0] ?? "", process.argv[1] ?? "", ...process.argv.slice(3)])).pipe(
  Effect.tapErrorCause(report),
  Effect.provide([NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer, WorkerLog.layer]),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true, teardown })
)
