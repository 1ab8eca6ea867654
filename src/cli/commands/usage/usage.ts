/** `beat usage`: the tokens that agents used and what they cost. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Dimension, mostRows, UsageView } from "../../../domain/usage/UsageReport.ts"
import { parseDimensions, usageReport } from "../../../programs/usage/usageReport.ts"
import { moment as momentWords } from "../../../text/FormatDuration.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { json, moment, parsed } from "../../input/Values.ts"
import { usageCsv, usageTable } from "../../output/UsageText.ts"

/** How far back the report goes by default. */
const standardMs = 30 * 86_400_000

export const usage = readOnlyCommand({
  name: "usage",
  section: "watch",
  summary: "Show the tokens that agents used, and what they cost",
  details:
    "Each run of an agent counts once, when it ends or is parked, even if the agent counts over its whole session. The cost that the agent reports counts. Otherwise the cost is computed from list prices and marked with ~. Pruned tasks stay in the numbers.",
  examples: [
    ["beat usage --since 7d --by day", "the last seven days"],
    ["beat usage --by model,label:team --csv > usage.csv", "for a spreadsheet"]
  ],
  options: Options.all({
    since: moment("since", "past").pipe(
      Options.withDescription(
        "Count runs that ended at or after this time, e.g. 7d, 2027-03-01 or monday (default: 30d)"
      ),
      Options.withDefault(null)
    ),
    until: moment("until", "past").pipe(
      Options.withDescription("Count runs that ended before this time, e.g. 2027-04-01 (default: now)"),
      Options.withDefault(null)
    ),
    by: Options.text("by").pipe(
      Options.withPseudoName("dimension,..."),
      parsed("by", parseDimensions),
      Options.withDescription(
        "Group by day, agent, model, account, directory, pipeline or label:KEY; up to three of them (default: agent)"
      ),
      Options.withDefault(null)
    ),
    csv: Options.boolean("csv").pipe(Options.withDescription("Print comma-separated values with a line of names")),
    json
  }),
  args: Args.none,
  completes: "none",
  run: Effect.fn("beat.usage")(function* (given) {
    const terminal = yield* Terminal
    if (given.csv && given.json) {
      return yield* new UsageError({ problem: "--csv and --json cannot be combined", hint: "Use one of them." })
    }
    const now = yield* Clock.currentTimeMillis
    // A run that ends in this millisecond belongs to it.
    const to = given.until ?? now + 1
    const from = given.since ?? to - standardMs
    const by: ReadonlyArray<Dimension> = given.by ?? ["agent"]
    const { rows, total } = yield* usageReport({ from: Math.max(0, from), to, by })
    const cut = rows.length === mostRows
    if (given.json) yield* printJson(UsageView, { from: Math.max(0, from), to, by, rows, total, cut })
    else if (given.csv) yield* terminal.print(usageCsv(by, rows).join("\n"))
    else if (total.runs === 0) yield* terminal.print(`No run of an agent ended since ${momentWords(from)}.`)
    else yield* terminal.print(usageTable(by, rows, total, terminal.stdout).join("\n"))
    if (cut && !given.json) yield* terminal.say(`These are the first ${mostRows} rows. Ask for a shorter time.`)
    return ExitCode.ok
  })
})
