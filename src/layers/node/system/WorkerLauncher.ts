/** Starts a worker that outlives this process, in its own session, with a log file for its output. */
import { spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WorkerUnavailable } from "../../../domain/Errors.ts"
import { Paths } from "../../../services/Paths.ts"
import { WorkerCommand } from "../../../services/WorkerCommand.ts"
import { WorkerLauncher } from "../../../services/WorkerLauncher.ts"
import { foreignOwner } from "../files/Ownership.ts"
import { isMounted } from "../files/Surroundings.ts"
import { codeOf } from "../files/SystemCode.ts"
import { nicenessOf, setNiceness, withoutSoftLimits } from "../process/Restraints.ts"
import { rotateLog } from "./rotateLog.ts"
import { workerEnvironment } from "./WorkerEnvironment.ts"

const openLog = async (directory: string, log: string): Promise<fs.FileHandle> => {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 })
  rotateLog(log)
  return fs.open(log, "a", 0o600)
}

const make = Effect.gen(function* () {
  const paths = yield* Paths
  const { command } = yield* WorkerCommand
  const log = join(paths.logs, "worker.log")

  const unavailable = (error: unknown) => new WorkerUnavailable({ detail: codeOf(error), log })

  const started = (output: fs.FileHandle) =>
    Effect.async<void, WorkerUnavailable>((resume) => {
      try {
        // It serves all tasks, not only those of a command that was started with nice or under a `ulimit`.
        const [program, ...words] = withoutSoftLimits([...command, "worker", "--on-demand"])
        const child = spawn(program, words, {
          // A directory that stays: one that a person deletes would leave the worker nowhere.
          cwd: paths.home,
          detached: true,
          env: workerEnvironment(process.env),
          stdio: ["ignore", output.fd, output.fd]
        })
        if (child.pid !== undefined && (nicenessOf(child.pid) ?? 0) > 0) setNiceness(child.pid, 0)
        child.once("spawn", () => resume(Effect.void))
        child.once("error", (error) => resume(Effect.fail(unavailable(error))))
        child.unref()
      } catch (error) {
        resume(Effect.fail(unavailable(error)))
      }
    })

  const start = Effect.acquireUseRelease(
    Effect.tryPromise({ try: () => openLog(paths.logs, log), catch: unavailable }),
    started,
    (output) => Effect.promise(() => output.close().catch(() => undefined))
  )

  return WorkerLauncher.of({
    launch: Effect.suspend(() => {
      if (isMounted(process.env)) {
        return new WorkerUnavailable({
          detail: "no worker is started from inside the workspace of a task; one is when its agent ends its turn",
          log
        })
      }
      const foreign = foreignOwner(paths.database)
      return foreign === null ? Effect.void : new WorkerUnavailable({ detail: `${paths.home}: ${foreign}`, log })
    }).pipe(Effect.zipRight(start), Effect.withSpan("WorkerLauncher.launch"))
  })
})

export const layer = Layer.effect(WorkerLauncher, make)
