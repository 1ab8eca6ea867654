/** `beat top`: a live screen of all tasks. Its implementation has its own bundle. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import type * as Effect from "effect/Effect"
import type { TaskStatus } from "../../../domain/task/Task.ts"
import { type CommandServices, command, type Failure } from "../../framework/Command.ts"
import type { ExitCode } from "../../framework/ExitCode.ts"
import { taskFilterOptions } from "../../input/ListOptions.ts"
import { optionalText } from "../../input/Values.ts"

export interface TopOptions {
  readonly status: ReadonlyArray<TaskStatus>
  readonly agent: string | null
  readonly label: Readonly<Record<string, string>>
  readonly directory: string | null
  readonly since: string | null
  readonly once: boolean
  readonly plain: boolean
  readonly ascii: boolean
}

const options = Options.all({
  ...taskFilterOptions,
  since: optionalText("since", "time").pipe(
    Options.withDescription("Show only tasks created since then, e.g. 2h, 2027-03-01 or 'monday 9am'")
  ),
  once: Options.boolean("once").pipe(Options.withDescription("Print one screen and exit")),
  plain: Options.boolean("plain").pipe(
    Options.withDescription("Print one line for each change and read commands as lines, e.g. for a screen reader")
  ),
  ascii: Options.boolean("ascii").pipe(Options.withDescription("Show only ASCII characters"))
})

export const top = (run: (given: TopOptions) => Effect.Effect<ExitCode, Failure, CommandServices>) =>
  command({
    name: "top",
    section: "watch",
    summary: "Watch all tasks on a live screen, and act on them by keys",
    details:
      "The screen shows what runs, what waits for what, and what has ended; below or next to that the output, the diff or the facts of the selected task. ? shows the keys. A key that changes something first shows the 'beat' command that it runs. Leaving the screen changes nothing: tasks continue. If stdout is not a terminal, and with TERM=dumb or BEAT_PLAIN=1, it prints lines as with --plain.",
    examples: [
      ["beat top", "everything"],
      ["beat top -C . -s running -s queued", "what runs and waits in this directory"],
      ["beat top --once", "one screen as text, e.g. for watch(1) or a status bar"]
    ],
    options,
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run
  })
