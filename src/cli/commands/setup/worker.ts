/** `beat worker`: options and help for every bundle. The worker's own bundle, which has the pool, implements it. */

import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import type * as Effect from "effect/Effect"
import { type CommandServices, command, type Failure } from "../../framework/Command.ts"
import type { ExitCode } from "../../framework/ExitCode.ts"

export interface WorkerOptions {
  readonly keep: boolean
  readonly onDemand: boolean
  readonly detach: boolean
}

const options = Options.all({
  keep: Options.boolean("keep").pipe(
    Options.withDescription("Keep running when the queue is empty, until Ctrl-C or SIGTERM")
  ),
  onDemand: Options.boolean("on-demand").pipe(
    Options.withDescription("Exit if another worker is already running (how other commands start a worker)")
  ),
  detach: Options.boolean("detach").pipe(
    Options.withDescription("Start a worker in the background, unless one is already running")
  )
})

export const worker = (run: (options: WorkerOptions) => Effect.Effect<ExitCode, Failure, CommandServices>) =>
  command({
    name: "worker",
    section: "machine",
    summary: "Run queued tasks in this terminal",
    details:
      "Runs queued tasks until the queue is empty. Rarely needed: 'beat run' starts a background worker automatically. When a worker exits, its agents keep running, and the next worker takes them over.",
    examples: [["beat worker --keep", "serve the queue until Ctrl-C"]],
    options,
    args: Args.none,
    completes: "none",
    run
  })
