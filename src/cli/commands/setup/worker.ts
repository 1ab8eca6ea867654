/** `beat worker`: options and help for every bundle. What it runs is given by the worker's own bundle, which holds the pool. */

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
    Options.withDescription("Stay when there is nothing to do, until Ctrl-C or SIGTERM")
  ),
  onDemand: Options.boolean("on-demand").pipe(
    Options.withDescription("Exit if another worker is already running (how other commands start a worker)")
  ),
  detach: Options.boolean("detach").pipe(
    Options.withDescription("Start in the background, unless a worker serves the queue already")
  )
})

export const worker = (run: (options: WorkerOptions) => Effect.Effect<ExitCode, Failure, CommandServices>) =>
  command({
    name: "worker",
    section: "machine",
    summary: "Run queued tasks in this terminal",
    details:
      "Runs queued tasks until there is nothing left to do. Rarely needed: 'beat run' starts a worker in the background by itself. When a worker ends, its agents go on, and the next worker takes them over.",
    examples: [["beat worker --keep", "serve the queue until Ctrl-C"]],
    options,
    args: Args.none,
    completes: "none",
    run
  })
