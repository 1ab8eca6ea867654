/** `beat worker`: its options and help. The handler stands in the worker's own bundle, which holds the pool. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"

export interface WorkerOptions {
  readonly keep: boolean
  readonly onDemand: boolean
  readonly detach: boolean
}

const options = {
  keep: Options.boolean("keep").pipe(
    Options.withDescription("Stay when there is nothing to do, until Ctrl-C or SIGTERM")
  ),
  onDemand: Options.boolean("on-demand").pipe(
    Options.withDescription("Leave again if another worker serves the queue (what other commands start by themselves)")
  ),
  detach: Options.boolean("detach").pipe(
    Options.withDescription("Start in the background, unless a worker serves the queue already")
  )
}

export const worker = Command.make("worker", options).pipe(
  Command.withDescription(
    "Run queued tasks in this terminal until there is nothing left to do. Rarely needed: 'beat run' starts a worker in the background by itself. Agents go on when the worker ends; the next one takes them over."
  )
)
