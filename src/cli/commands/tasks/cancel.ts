/** `beat cancel`: ends tasks and returns when their processes are gone. */
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
    ? `${task.id} had ended before: ${endingText(task, screen)}`
    : `${task.id} ${endingText(task, screen)}`

export const cancel = readWriteCommand({
  name: "cancel",
  section: "tasks",
  summary: "End tasks, and wait until their processes are gone",
  details:
    "A task that waits is taken from the queue; a running agent is asked to end, then made to, with all the processes it started. Tasks that the agent handed over itself go on, unless --tree is given.",
  examples: [
    ["beat cancel @last", "the newest task"],
    ['beat cancel k3v9 x2m7 --reason "wrong branch"', "two, with a note for whoever looks later"]
  ],
  options: Options.all({
    tree: Options.boolean("tree").pipe(Options.withDescription("Also everything that these tasks handed over")),
    reason: optionalText("reason", "text").pipe(Options.withDescription("Kept with the task")),
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
    }).pipe(withProgress(Effect.succeed("waiting for the processes to end (Ctrl-C: they end all the same)")))
    if (given.json) {
      yield* printJson(CancelResult, result)
      return ExitCode.ok
    }
    for (const entry of result.tasks) yield* terminal.print(line(entry, terminal.stdout))
    if (result.truncated) yield* terminal.say("beat: the tree has more than 10,000 tasks; run this again for the rest")
    return ExitCode.ok
  })
})
