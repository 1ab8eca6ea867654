/** `beat cancel`: cancels tasks and returns when their processes have exited. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { type Cancelled, CancelResult, cancel as cancelTasks } from "../../../programs/tasks/cancel.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/submitter.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json, optionalText, task } from "../../input/Values.ts"
import { endingText } from "../../output/Ending.ts"
import { withProgress } from "../../output/Progress.ts"
import { waiting } from "../../output/Waiting.ts"

const line = ({ answer, task }: Cancelled, screen: Screen): string =>
  answer === "over"
    ? `${task.id} had already ended: ${endingText(task, screen)}`
    : `${task.id} ${endingText(task, screen)}`

export const cancel = readWriteCommand({
  name: "cancel",
  section: "tasks",
  summary: "Cancel tasks and wait until their processes have exited",
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
  args: task.pipe(Args.atLeast(1)),
  completes: "task",
  answer: () => "ending",
  run: Effect.fn("beat.cancel")(function* (given, references) {
    const tasks = yield* Tasks
    const terminal = yield* Terminal
    const caller = yield* Caller
    const ids = yield* Effect.forEach(references, tasks.resolve)
    const result = yield* cancelTasks(ids, {
      ...(yield* waiting(false)),
      tree: given.tree,
      reason: given.reason,
      by: yield* nameOf(submitterOf(caller.environment))
    }).pipe(
      withProgress(Effect.succeed("waiting for the processes to exit (Ctrl-C stops the waiting, not the cancelling)"))
    )
    if (given.json) {
      yield* printJson(CancelResult, result)
      return ExitCode.ok
    }
    for (const entry of result.tasks) yield* terminal.print(line(entry, terminal.stdout))
    if (result.truncated)
      yield* terminal.say("beat: the tree has more than 10,000 tasks; run the command again to cancel the rest")
    return ExitCode.ok
  })
})
