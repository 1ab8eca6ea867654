/** `beat logs --worker`: the log of the workers in the background, in the bundle of what is read for the search after a cause. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import type * as Effect from "effect/Effect"
import { type CommandServices, command, type Failure } from "../../framework/Command.ts"
import type { ExitCode } from "../../framework/ExitCode.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { count, optionalText } from "../../input/Values.ts"

/** How many lines are shown where no number is given. */
const lastLines = 100

export const workerLogs = (
  run: (lines: number, follow: boolean) => Effect.Effect<ExitCode, Failure, CommandServices>
) =>
  command({
    name: "logs",
    section: "tasks",
    summary: "Show the log of the workers",
    options: Options.all({
      worker: Options.boolean("worker"),
      // Options of `beat logs` for a task: declared here so that the error names the combination.
      json: Options.boolean("json"),
      raw: Options.boolean("raw"),
      stderr: Options.boolean("stderr"),
      since: optionalText("since", "time"),
      follow: Options.boolean("follow").pipe(Options.withAlias("f")),
      lines: count("lines", 0, 1_000_000).pipe(Options.withAlias("n"), Options.withDefault(lastLines))
    }),
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run: ({ follow, lines, ...others }) => {
      const other = (["json", "raw", "stderr", "since"] as const).find(
        (name) => others[name] !== false && others[name] !== null
      )
      return other === undefined
        ? run(lines, follow)
        : new UsageError({
            problem: `--worker and --${other} cannot be combined`,
            hint: "--worker takes only -n and -f."
          })
    }
  })
