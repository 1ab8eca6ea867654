/** `beat cancel`: cancels tasks and returns when their processes have exited. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Contest, type ContestId } from "../../../domain/contest/Contest.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import { cancelContest } from "../../../programs/contests/waitForContest.ts"
import { type Cancelled, CancelResult, cancel as cancelTasks } from "../../../programs/tasks/cancel.ts"
import { requireOwn } from "../../../programs/tasks/requireOwn.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Contests } from "../../../services/Contests.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json, optionalText, taskOr } from "../../input/Values.ts"
import { contestEnding } from "../../output/ContestTable.ts"
import { endingText } from "../../output/Ending.ts"
import { withProgress } from "../../output/Progress.ts"
import { waiting } from "../../output/waiting.ts"

const line = ({ answer, task }: Cancelled, screen: Screen): string =>
  answer === "over"
    ? `${task.id} had already ended: ${endingText(task, screen)}`
    : `${task.id} ${endingText(task, screen)}`

/** What `--json` prints. */
export const CancelDocument = Schema.Struct({
  ...CancelResult.fields,
  /** After the cancel. */
  contests: Schema.Array(Contest)
}).annotations({ identifier: "CancelDocument" })

/** A reference that fits no task may fit a contest. */
const resolveEach = Effect.fn("cancel.resolve")(function* (references: ReadonlyArray<string>) {
  const tasks = yield* Tasks
  const contests = yield* Contests
  const taskIds: Array<TaskId> = []
  const contestIds: Array<ContestId> = []
  for (const reference of references) {
    const task = yield* Effect.either(tasks.resolve(reference))
    if (task._tag === "Right") {
      taskIds.push(task.right)
      continue
    }
    const { left } = task
    if (left._tag !== "TaskNotFound") return yield* left
    const orNoTask = Effect.mapError(contests.resolve(reference), (error) =>
      error._tag === "ContestNotFound" && error.candidates.length === 0 ? left : error
    )
    contestIds.push(yield* orNoTask)
  }
  return { taskIds, contestIds }
})

export const cancel = readWriteCommand({
  name: "cancel",
  section: "tasks",
  summary: "Cancel tasks or contests and wait until their processes have exited",
  details:
    "Removes a waiting task from the queue. Asks a running agent to stop, then kills it with all the processes it started. Tasks that the agent itself submitted continue, unless --tree is given.",
  examples: [
    ["beat cancel @last", "the newest task"],
    ['beat cancel k3v9 x2m7 --reason "wrong branch"', "two tasks, with the reason"]
  ],
  options: Options.all({
    tree: Options.boolean("tree").pipe(Options.withDescription("Also cancel all tasks that these tasks submitted")),
    reason: optionalText("reason", "text").pipe(Options.withDescription("Store this reason with the task")),
    json
  }),
  args: taskOr("a contest").pipe(Args.atLeast(1)),
  completes: "task",
  answer: () => "ending",
  run: Effect.fn("beat.cancel")(function* (given, references) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const { contestIds, taskIds } = yield* resolveEach(references)
    const submitter = submitterOf(caller.environment)
    yield* requireOwn(submitter, taskIds, "cancel")
    const served = yield* waiting(false)
    const by = yield* nameOf(submitter)
    const all = Effect.all({
      result: cancelTasks(taskIds, { ...served, tree: given.tree, reason: given.reason, by }),
      contests: Effect.forEach(contestIds, (id) => cancelContest(id, { reason: given.reason, by }, submitter, served))
    })
    const { contests, result } = yield* all.pipe(
      withProgress(Effect.succeed("waiting for the processes to exit (Ctrl-C stops the waiting, not the cancelling)"))
    )
    if (given.json) {
      yield* printJson(CancelDocument, { ...result, contests: contests.map(({ contest }) => contest) })
      return ExitCode.ok
    }
    for (const entry of result.tasks) yield* terminal.print(line(entry, terminal.stdout))
    for (const { answer, contest } of contests) {
      const before = answer === "over" ? "had already ended: " : ""
      yield* terminal.print(`${contest.id} ${before}${contestEnding(contest, terminal.stdout)}`)
    }
    if (result.truncated)
      yield* terminal.say("beat: the tree has more than 10,000 tasks; run the command again to cancel the rest")
    return ExitCode.ok
  })
})
