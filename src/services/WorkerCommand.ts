/** The command that runs this very `beat` again: what starts a worker, set by the entry point. */
import * as Context from "effect/Context"

export class WorkerCommand extends Context.Tag("backbeat/WorkerCommand")<
  WorkerCommand,
  {
    /** Program and first arguments, for example node and the entry file; subcommand and options are put after them. */
    readonly command: readonly [string, ...ReadonlyArray<string>]
  }
>() {}
