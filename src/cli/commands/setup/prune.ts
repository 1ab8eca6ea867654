/** `beat prune`: deletes tasks that ended long ago, with their output. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { PruneReport, prune as pruneTasks } from "../../../programs/setup/prune.ts"
import { bytes, moment } from "../../../text/FormatDuration.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { duration, json } from "../../input/Values.ts"

const month = 30 * 24 * 60 * 60 * 1000

export const prune = readWriteCommand({
  name: "prune",
  forPersons: "delete tasks",
  section: "machine",
  summary: "Delete tasks that ended long ago, with their output",
  details:
    "Also deletes schedules that ended as long ago, with their history. A task stays while other attempts of it, its pipeline, loop, goal or contest, or a task that it delegated has not ended as long ago.",
  examples: [["beat prune --older-than 7d --dry-run", "only show what would be deleted"]],
  options: Options.all({
    olderThan: duration("older-than").pipe(
      Options.withDefault(month),
      Options.withDescription("Delete tasks and schedules that ended longer ago than this (default: 30d)")
    ),
    dryRun: Options.boolean("dry-run").pipe(Options.withDescription("Show what would be deleted without deleting it")),
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.prune")(function* (given) {
    const terminal = yield* Terminal
    const report = yield* pruneTasks({
      olderThanMs: given.olderThan,
      dryRun: given.dryRun,
      onBatch: (deleted) => terminal.progress(`${deleted} tasks deleted`)
    }).pipe(Effect.ensuring(terminal.progress(null)))
    if (given.json) {
      yield* printJson(PruneReport, report)
      return ExitCode.ok
    }
    const tasks = `${report.count} task${report.count === 1 ? "" : "s"} that ended before ${moment(report.endedBefore)}${report.schedules === 0 ? "" : `, and ${report.schedules} schedule${report.schedules === 1 ? "" : "s"}`}`
    const returned = report.bytesReturned === 0 ? "" : ` The database file is ${bytes(report.bytesReturned)} smaller.`
    yield* terminal.print(report.dryRun ? `Would delete ${tasks}.` : `Deleted ${tasks}.${returned}`)
    return ExitCode.ok
  })
})
