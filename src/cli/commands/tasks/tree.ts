/** `beat tree`: a task or a goal with everything that was delegated below it. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TaskNotFound } from "../../../domain/Errors.ts"
import type { OtherKind } from "../../../domain/OtherKind.ts"
import { resolveAll } from "../../../programs/groups/resolveAll.ts"
import { TaskTree, treeLimit, treeOfLoop, treeOfTask } from "../../../programs/reports/TaskTree.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json } from "../../input/Values.ts"
import { treeText } from "../../output/treeText.ts"

export const tree = readOnlyCommand({
  name: "tree",
  section: "watch",
  summary: "Show what a task or a goal has delegated, with states and cost",
  details:
    "The cost is that of the ledger: what agents reported, or an estimate. A lead that waits is 'queued'. To end all of it: beat cancel --tree ID, or beat goal cancel ID.",
  examples: [
    ["beat tree @last", "the newest task"],
    ["beat tree m8x2 --json", "a goal, for a script"]
  ],
  options: Options.all({ json }),
  args: Args.all({
    id: Args.text({ name: "id" }).pipe(Args.withDescription("Id of a task, a loop or a goal, or @last"))
  }),
  completes: "task",
  run: Effect.fn("beat.tree")(function* (given, { id }) {
    const terminal = yield* Terminal
    const { contestIds, loopIds, pipelineIds, taskIds } = yield* resolveAll([id])
    const [loop] = loopIds
    const [task] = taskIds
    const found = loop !== undefined ? yield* treeOfLoop(loop) : task !== undefined ? yield* treeOfTask(task) : null
    if (found === null) {
      const [pipeline] = pipelineIds
      const [contest = id] = contestIds
      const other: OtherKind =
        pipeline === undefined ? { kind: "contest", id: contest } : { kind: "pipeline", id: pipeline }
      return yield* new TaskNotFound({ reference: id, other })
    }
    if (given.json) yield* printJson(TaskTree, found)
    else {
      const lines = treeText(found, yield* Clock.currentTimeMillis, terminal.stdout)
      for (const line of lines) yield* terminal.print(line)
    }
    if (found.truncated) yield* terminal.say(`beat: the tree is larger; this shows its first ${treeLimit} tasks`)
    return ExitCode.ok
  })
})
