/** `beat result`: an agent's final answer. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { isTerminal, Task } from "../../../domain/task/Task.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { waitFor } from "../../../programs/tasks/waitFor.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode, exitCodeOf } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json, task } from "../../input/Values.ts"
import { endingText } from "../../output/Ending.ts"
import { activity, withProgress } from "../../output/Progress.ts"
import { waiting } from "../../output/waiting.ts"

export const result = bareCommand({
  name: "result",
  section: "tasks",
  summary: "Print an agent's final answer",
  details:
    "The exit code reports how the task ended; after automatic retries, the last attempt counts. If the task has not ended, there is no answer yet and the exit code is 1.",
  examples: [["beat result --wait @last", "wait for the newest task and print its answer"]],
  options: Options.all({
    wait: Options.boolean("wait").pipe(
      Options.withAlias("w"),
      Options.withDescription("Wait until the task has ended")
    ),
    raw: Options.boolean("raw").pipe(Options.withDescription("Keep control characters")),
    json
  }),
  args: Args.all({ id: task }),
  completes: "task",
  run: Effect.fn("beat.result")(function* (given, { id }) {
    const tasks = yield* Tasks
    const terminal = yield* Terminal
    const taskId = yield* tasks.resolve(id)
    if (given.wait) {
      const doing = yield* activity(yield* tasks.summary(taskId))
      yield* waitFor([taskId], { ...(yield* waiting(false)), goal: "end", any: false }).pipe(withProgress(doing))
    }
    const found = yield* tasks.get((yield* latestAttempt(taskId)).id)
    if (!isTerminal(found.status)) {
      return yield* new TaskStateConflict({ id: found.id, step: "give an answer", actual: found.status })
    }
    const code = exitCodeOf(found)
    if (given.json) {
      yield* printJson(Task, found)
      return code
    }
    if (found.answer !== null && found.answer !== "")
      yield* terminal.print(given.raw ? found.answer : sanitize(found.answer))
    if (code !== ExitCode.ok) yield* terminal.say(`${found.id} ${endingText(found, terminal.stderr)}`)
    else if (found.answer === null)
      yield* terminal.say(`${found.id} gave no answer. To see its output: beat logs ${found.id}`)
    return code
  }, Effect.scoped)
})
