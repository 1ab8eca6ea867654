/** Starts `beat web` again as a process in its own session that outlives this one, with a log file for its messages. */
import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { WebUnavailable } from "../../../domain/web/WebErrors.ts"
import { Paths } from "../../../services/Paths.ts"
import { WorkerCommand } from "../../../services/WorkerCommand.ts"
import { foreignOwner, requireOwner } from "../files/Ownership.ts"
import { codeOf } from "../files/SystemCode.ts"

/** Where a detached server writes its messages. */
export const webLog = (logs: string): string => join(logs, "web.log")

/** Returns once the process exists. The process keeps the directory and the environment: tasks that are submitted through it get them. */
export const detachWeb = Effect.fn("web.detach")(function* (options: ReadonlyArray<string>) {
  const { database, logs } = yield* Paths
  yield* requireOwner(database, () => foreignOwner(database))
  const { command } = yield* WorkerCommand
  const [program, ...first] = command
  return yield* Effect.async<void, WebUnavailable>((resume) => {
    const failed = (error: unknown) =>
      resume(new WebUnavailable({ problem: `The server could not be started in the background (${codeOf(error)}).` }))
    try {
      mkdirSync(logs, { recursive: true, mode: 0o700 })
      const log = openSync(webLog(logs), "w", 0o600)
      // What it prints is its address with the token, which belongs in no log.
      const stdio = ["ignore", "ignore", log] as const
      const child = spawn(program, [...first, "web", ...options], { detached: true, stdio: [...stdio] })
      child.once("spawn", () => resume(Effect.void))
      child.once("error", failed)
      child.unref()
      closeSync(log)
    } catch (error) {
      failed(error)
    }
  })
})
