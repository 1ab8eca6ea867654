/** `beat diff`: what a task left in its workspace, against where it began or against another task. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import { CommitId } from "../../../domain/workspace/Workspace.ts"
import { compareWork } from "../../../programs/merges/compareWork.ts"
import { MergeGit } from "../../../services/MergeGit.ts"
import { showControls } from "../../../text/Sanitize.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { json } from "../../input/Values.ts"
import { diffText } from "../../output/diffText.ts"

/** What `--json` prints. */
const WorkDiff = Schema.Struct({
  taskId: TaskId,
  /** The other task; null: the comparison is with where the work began. */
  against: Schema.NullOr(TaskId),
  from: CommitId,
  to: CommitId,
  files: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      /** Null for a binary file. */
      insertions: Schema.NullOr(Schema.Int),
      deletions: Schema.NullOr(Schema.Int)
    })
  )
}).annotations({ identifier: "WorkDiff" })

export const diff = readOnlyCommand({
  name: "diff",
  section: "watch",
  summary: "Show what an isolated task, pipeline, loop or contest has changed",
  examples: [
    ["beat diff @last --stat", "the files, with counts of lines"],
    ["beat diff k3v x2m", "from the result of one task to that of another"],
    ["beat diff k3v --patch | git apply", "take it over by hand"]
  ],
  options: Options.all({
    stat: Options.boolean("stat").pipe(Options.withDescription("Show the files and counts of lines")),
    nameOnly: Options.boolean("name-only").pipe(Options.withDescription("Show the names of the files")),
    patch: Options.boolean("patch").pipe(
      Options.withDescription("Show the patch without a pager and without colors, for 'git apply'")
    ),
    json
  }),
  args: Args.text({ name: "id" }).pipe(
    Args.withDescription(
      "Id of a task, of a pipeline (all steps that share its workspace), of a loop (its best round) or of a contest (the candidate that is kept), a unique beginning of it, or @last; a second id to compare with"
    ),
    Args.between(1, 2)
  ),
  completes: "task",
  run: Effect.fn("beat.diff")(function* (given, [id = "@last", other]) {
    const terminal = yield* Terminal
    const git = yield* MergeGit
    if ([given.stat, given.nameOnly, given.patch].filter((flag) => flag).length > 1) {
      return yield* new UsageError({
        problem: "--stat, --name-only and --patch cannot be combined",
        hint: "'beat diff --help' shows how to use it."
      })
    }
    const compared = yield* compareWork(id, Option.fromNullable(other))
    const { from, repository, to } = compared
    if (given.json) {
      const files = yield* git.changedFiles(repository, from, to)
      yield* printJson(WorkDiff, { taskId: compared.taskId, against: compared.against, from, to, files })
      return ExitCode.ok
    }
    const form = given.stat ? "stat" : given.nameOnly ? "names" : "patch"
    const { stdout } = terminal
    const text = yield* git.diff(repository, from, to, { form, columns: stdout.columns })
    if (text === "") yield* terminal.say("No changes.")
    else if (stdout.tty && !given.patch) yield* git.page(repository, `${diffText(text, form, stylesOf(stdout))}\n`)
    // Another program gets every byte of a patch, and a terminal none that it obeys.
    else yield* terminal.print(form === "patch" && !stdout.tty ? text : showControls(text))
    return ExitCode.ok
  })
})
