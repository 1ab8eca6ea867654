/** The command that runs this very `beat` again: what starts a runtime, told by the entry point. */
import * as Context from "effect/Context"

export class RuntimeCommand extends Context.Tag("backbeat/RuntimeCommand")<
  RuntimeCommand,
  {
    /** Program and first arguments, for example node and the entry file; subcommand and options are put after them. */
    readonly command: readonly [string, ...ReadonlyArray<string>]
  }
>() {}
