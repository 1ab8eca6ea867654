/** `beat cancel`: cancels tasks, pipelines, loops and contests, and returns when their processes have exited. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Contest } from "../../../domain/contest/Contest.ts"
import { Loop } from "../../../domain/loop/Loop.ts"
import { Pipeline } from "../../../domain/pipeline/Pipeline.ts"
import { cancelAll, requireOwnAll } from "../../../programs/groups/cancelAll.ts"
import { resolveAll } from "../../../programs/groups/resolveAll.ts"
import { CancelResult } from "../../../programs/tasks/cancel.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json, optionalText, taskOr } from "../../input/Values.ts"
import { cancelledLine, whileCancelling } from "../../output/Cancelling.ts"
import { contestEnding } from "../../output/ContestTable.ts"
import { endingText } from "../../output/Ending.ts"
import { loopEnding } from "../../output/LoopTable.ts"
import { pipelineEnding } from "../../output/PipelineTable.ts"
import { waiting } from "../../output/waiting.ts"

/** What `--json` prints: all as they are after the cancel. */
export const CancelDocument = Schema.Struct({
  ...CancelResult.fields,
  pipelines: Schema.Array(Pipeline),
  loops: Schema.Array(Loop),
  contests: Schema.Array(Contest)
}).annotations({ identifier: "CancelDocument" })

export const cancel = readWriteCommand({
  name: "cancel",
  section: "tasks",
  summary: "Cancel tasks, pipelines, loops or contests and wait until their processes have exited",
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
  args: taskOr("a pipeline, a loop, a goal or a contest").pipe(Args.atLeast(1)),
  completes: "task",
  answer: () => "ending",
  run: Effect.fn("beat.cancel")(function* (given, references) {
    const terminal = yield* Terminal
    const caller = yield* Caller
    const named = yield* resolveAll(references)
    const submitter = submitterOf(caller.environment)
    yield* requireOwnAll(named, submitter, "cancel")
    const served = yield* waiting(false)
    const by = yield* nameOf(submitter)
    const { contests, loops, pipelines, tasks, truncated } = yield* cancelAll(named, submitter, {
      ...served,
      tree: given.tree,
      reason: given.reason,
      by
    }).pipe(whileCancelling)
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    if (given.json) {
      yield* printJson(CancelDocument, {
        tasks,
        truncated,
        pipelines: pipelines.map(({ pipeline }) => pipeline),
        loops: loops.map(({ loop }) => loop),
        contests: contests.map(({ contest }) => contest)
      })
      return ExitCode.ok
    }
    const screen = terminal.stdout
    const lines = [
      ...tasks.map(({ answer, task }) => cancelledLine(task.id, answer, endingText(task, screen))),
      ...pipelines.map(({ answer, pipeline }) => cancelledLine(pipeline.id, answer, pipelineEnding(pipeline, screen))),
      ...loops.map(({ answer, loop }) => cancelledLine(loop.id, answer, loopEnding(loop, screen))),
      ...contests.map(({ answer, contest }) => cancelledLine(contest.id, answer, contestEnding(contest, screen)))
    ]
    for (const line of lines) yield* terminal.print(line)
    if (truncated)
      yield* terminal.say("beat: the tree has more than 10,000 tasks; run the command again to cancel the rest")
    return ExitCode.ok
  })
})
