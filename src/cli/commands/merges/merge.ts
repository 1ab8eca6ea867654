/** `beat merge`: brings the work of isolated tasks into a branch, in order and each tested on top of the last. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { MergeId } from "../../../domain/merge/Merge.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { CommitId } from "../../../domain/workspace/Workspace.ts"
import { workTask } from "../../../programs/merges/compareWork.ts"
import { type MergeOptions, type MergeOutcome, mergeTask } from "../../../programs/merges/mergeTask.ts"
import { proposeMerge } from "../../../programs/merges/proposeMerge.ts"
import { undoMerge } from "../../../programs/merges/undoMerge.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { realDirectory } from "../../../programs/workspaces/realDirectory.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { json, optionalText } from "../../input/Values.ts"
import { withProgress } from "../../output/Progress.ts"
import { plain } from "../../output/TaskTable.ts"

/** What `--json` prints. */
const MergeResult = Schema.Array(
  Schema.Struct({
    taskId: TaskId,
    title: Schema.String,
    /** `fits`: with `--dry-run`, it could be merged. `unchanged`: the branch has it already. */
    state: Schema.Literal("merged", "fits", "unchanged", "conflict", "refused"),
    branch: Schema.String,
    before: CommitId,
    after: Schema.NullOr(CommitId),
    files: Schema.Int,
    insertions: Schema.Int,
    deletions: Schema.Int,
    conflicts: Schema.Array(Schema.String),
    reason: Schema.NullOr(Schema.String),
    mergeId: Schema.NullOr(MergeId),
    checkTask: Schema.NullOr(TaskId)
  })
).annotations({ identifier: "MergeResult" })

/** What `--pr --json` prints. */
const Proposals = Schema.Array(
  Schema.Struct({
    taskId: TaskId,
    title: Schema.String,
    branch: Schema.String,
    into: Schema.String,
    url: Schema.String
  })
).annotations({ identifier: "Proposals" })

const short = (commit: string): string => commit.slice(0, 7)

const lineOf = (outcome: MergeOutcome, screen: Screen): string => {
  const { dim, green, red, yellow } = stylesOf(screen)
  const { after, before, branch, deletions, files, insertions, state, taskId } = outcome
  const size = `${files} ${files === 1 ? "file" : "files"}, +${insertions} -${deletions}`
  const title = plain(outcome.title)
  switch (state) {
    case "merged":
      return `${taskId} ${green("merged")}  ${branch} ${short(before)} -> ${short(after ?? before)}  ${title}  ${dim(`(${size})`)}`
    case "fits":
      return `${taskId} ${green("fits")}  into ${branch} at ${short(before)}  ${title}  ${dim(`(${size})`)}`
    case "unchanged":
      return `${taskId} ${dim("unchanged")}  ${branch} has it already  ${title}`
    case "conflict":
      return `${taskId} ${yellow("conflict")}  in ${outcome.conflicts.map(plain).join(", ")}  ${title}`
    case "refused":
      return `${taskId} ${red("refused")}  ${plain(outcome.reason ?? "")}  ${title}`
  }
}

const mergeAll = Effect.fn("mergeAll")(function* (ids: ReadonlyArray<TaskId>, options: MergeOptions, quiet: boolean) {
  const terminal = yield* Terminal
  const outcomes: Array<MergeOutcome> = []
  for (const id of ids) {
    const doing = options.check === null ? `merging ${id}` : `testing ${id}: ${plain(options.check)}`
    const outcome = yield* mergeTask(id, options).pipe(withProgress(Effect.succeed(doing)))
    outcomes.push(outcome)
    if (!quiet) yield* terminal.print(lineOf(outcome, terminal.stdout))
  }
  return outcomes
})

const failed = (outcomes: ReadonlyArray<MergeOutcome>) =>
  outcomes.filter(({ state }) => state === "conflict" || state === "refused")

export const merge = readWriteCommand({
  name: "merge",
  section: "tasks",
  summary: "Bring the work of isolated tasks, pipelines, loops or contests into a branch",
  details:
    "Tries it without touching your files, and then moves the branch that is checked out, or the one of --into, in one step. A conflict changes nothing. Uncommitted changes in other files stay. Several ids are merged one after the other, each on top of the last; exits with 1 when one of them was not.",
  examples: [
    ['beat merge k3v --check "npm test"', "only if the tests pass on the merged files"],
    ["beat merge k3v x2m p4t", "in this order"],
    ["beat merge k3v --pr", "as a pull request; nothing here changes"],
    ["beat merge --undo k3v", "take it back"]
  ],
  options: Options.all({
    into: optionalText("into", "branch").pipe(
      Options.withDescription("Merge into this branch (default: the one that is checked out here)")
    ),
    branch: optionalText("branch", "name").pipe(
      Options.withDescription("Make this branch from where the work began, and touch nothing else")
    ),
    keepCommits: Options.boolean("keep-commits").pipe(
      Options.withDescription("Keep the agent's commits (default: one commit for all of its work)")
    ),
    check: optionalText("check", "command").pipe(
      Options.withDescription("Merge only if this shell command passes on the merged files, e.g. 'npm test'")
    ),
    message: optionalText("message", "text").pipe(
      Options.withAlias("m"),
      Options.withDescription("Message of the commit (default: the title of the task)")
    ),
    pr: Options.boolean("pr").pipe(
      Options.withDescription("Push the work as the branch beat/ID, or --branch NAME, and open a pull request with gh")
    ),
    dryRun: Options.boolean("dry-run").pipe(Options.withDescription("Say what would happen, and change nothing")),
    undo: Options.boolean("undo").pipe(
      Options.withDescription("Take the merge of this task back, while nothing was committed on top of it")
    ),
    json
  }),
  args: Args.text({ name: "id" }).pipe(
    Args.withDescription(
      "Id of a task, of a pipeline (all steps that share its workspace), of a loop (its best round) or of a contest (the candidate that is kept), a unique beginning of it, or @last"
    ),
    Args.atLeast(1)
  ),
  completes: "task",
  answer: () => "ending",
  run: Effect.fn("beat.merge")(function* (given, references) {
    const terminal = yield* Terminal
    const { directory, environment } = yield* Caller
    const submitter = submitterOf(environment)
    const wrong = (problem: string) => new UsageError({ problem, hint: "'beat merge --help' shows how to use it." })
    if (given.pr && (given.check !== null || given.undo || given.dryRun))
      return yield* wrong("--pr cannot be combined with --check, --undo or --dry-run")
    if (!given.pr && given.into !== null && given.branch !== null)
      return yield* wrong("--into and --branch cannot be combined")
    if (given.branch !== null && references.length > 1) return yield* wrong("--branch takes one id")
    if (given.check !== null && given.branch !== null) return yield* wrong("--check cannot be combined with --branch")
    if (given.check?.trim() === "") return yield* wrong("The command of --check is empty")
    const ids = yield* Effect.forEach(references, workTask)
    if (given.undo) {
      for (const id of ids) {
        const { before, branch, merged } = yield* undoMerge(id, submitter)
        yield* terminal.print(`${id} undone  ${branch} ${short(merged ?? "")} -> ${short(before)}`)
      }
      return ExitCode.ok
    }
    const options: MergeOptions = {
      directory: realDirectory(directory, environment),
      into: given.into,
      create: given.branch,
      keepCommits: given.keepCommits,
      check: given.check,
      dryRun: given.dryRun,
      message: given.message,
      submitter
    }
    if (given.pr) {
      const proposals = yield* Effect.forEach(ids, (id) =>
        proposeMerge(id, options).pipe(withProgress(Effect.succeed(`opening a pull request for ${id}`)))
      )
      if (given.json) yield* printJson(Proposals, proposals)
      for (const { taskId, title, url } of given.json ? [] : proposals) {
        yield* terminal.print(
          `${taskId} ${stylesOf(terminal.stdout).green("proposed")}  ${plain(url)}  ${plain(title)}`
        )
      }
      return ExitCode.ok
    }
    const outcomes = yield* mergeAll(ids, options, given.json)
    if (given.json) yield* printJson(MergeResult, outcomes)
    const left = failed(outcomes)
    if (left.length > 0) {
      if (outcomes.length > 1) yield* terminal.say(`beat: ${left.length} of ${outcomes.length} were not merged`)
      return ExitCode.failed
    }
    const [last] = outcomes.slice(-1)
    if (last?.state === "merged" && last.mergeId !== null && terminal.stdout.tty) {
      yield* terminal.say(`To take it back: beat merge --undo ${last.taskId}`)
    }
    return ExitCode.ok
  })
})
