/** `beat retry`: runs an ended task again. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { requireOwn } from "../../../programs/tasks/requireOwn.ts"
import { retry as retryTask } from "../../../programs/tasks/retry.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { json, task } from "../../input/Values.ts"
import { inForeground } from "../../output/Foreground.ts"
import { announce } from "../../output/Submitted.ts"

export const retry = readWriteCommand({
  name: "retry",
  section: "tasks",
  summary: "Retry a task that has ended",
  details:
    "Creates a new task with the same prompt, agent, directory, limits and captured environment, and prints its id.",
  examples: [["beat retry @last", "the newest task again"]],
  options: Options.all({
    foreground: Options.boolean("foreground").pipe(
      Options.withAlias("f"),
      Options.withDescription("Show the output and wait, like 'beat run -f'")
    ),
    json
  }),
  args: Args.all({ id: task }),
  completes: "task",
  answer: ({ foreground }) => (foreground ? "ending" : "work"),
  run: Effect.fn("beat.retry")(function* (given, { id }) {
    const tasks = yield* Tasks
    const caller = yield* Caller
    const resolved = yield* tasks.resolve(id)
    const submitter = submitterOf(caller.environment)
    yield* requireOwn(submitter, [resolved], "retry")
    const submitted = retryTask(resolved, submitter)
    if (given.foreground) return yield* inForeground(submitted, given.json)
    return yield* announce(yield* submitted, given.json)
  })
})
